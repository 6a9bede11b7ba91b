"""A trained network in use: its card, and a page to try it."""


localrules:
    app,
    model_card,


rule model_card:
    input:
        expand("{run}/model-card.md", run=RUNS),


rule card:
    input:
        of_seeds("metrics.json", "evaluation.json", "confusion.csv"),
        code=code("model_card"),
        metrics="{run}/metrics.json",
        provenance="{run}/provenance.json",
    output:
        "{run}/model-card.md",
    log:
        "logs/{run}/model_card.log",
    params:
        cause=cause("data", "model", "train", "evaluate", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
    message:
        "Write the model card"
    shell:
        "DAWN_LOG={log:q} python -m dawn.model_card {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --metrics {input.metrics:q} --provenance {input.provenance:q} --out {output:q}"


# Runs on this machine until it is interrupted, in the host's Python, without a container: the image has no web server.
# It writes no result, so it always runs.
rule app:
    input:
        ARRAYS,
        "data/dataset.json",
        weights=lambda wildcards: [f"{seed}/model.safetensors" for seed in seeds(next(iter(RUNS)))],
    log:
        "logs/app.log",
    params:
        network=lambda wildcards: ["--network", str(EXPERIMENT.model.file)] if EXPERIMENT.model.family == "file" else [],
    message:
        "Serve a page to try the network"
    shell:
        "DAWN_LOG={log:q} python -m dawn.serve --model {input.weights:q} --data data {params.network:q}"
