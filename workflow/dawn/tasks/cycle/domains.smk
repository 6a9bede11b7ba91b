"""The two domains of a CycleGAN."""


rule domains:
    input:
        [] if EXPERIMENT.domains.kind == "shapes" else [ARRAYS, "data/dataset.json"],
        code=lambda wildcards: code_for(EXPERIMENT, "tasks.cycle.domains"),
    output:
        [f"data/{name}" for name in TASK.data(EXPERIMENT)],
    log:
        "logs/domains.log",
    resources:
        shared=SHARED,
    params:
        cause=lambda wildcards: EXPERIMENT.text("domains"),
    message:
        "Make the two domains"
    shell:
        "DAWN_LOG={log:q} python -m dawn.tasks.cycle.domains --params {resources.shared:q}/params.yaml --data data"
