"""A CycleGAN: its domains, training, and translations with their measures. The judges are trained by train.smk."""

DOMAINS = [f"data/{name}.npy" for name in EXPERIMENT.domains.arrays]


rule domains:
    input:
        [] if EXPERIMENT.domains.kind == "shapes" else [ARRAYS, "data/dataset.json"],
        code=code("domains"),
    output:
        DOMAINS,
        "data/domains.json",
    log:
        "logs/domains.log",
    resources:
        shared=SHARED,
    params:
        cause=lambda wildcards: EXPERIMENT.text("domains"),
    message:
        "Make the two domains"
    shell:
        "DAWN_LOG={log:q} python -m dawn.domains --params {resources.shared:q}/params.yaml --data data"


rule cycle_train:
    input:
        DOMAINS,
        "data/domains.json",
        code=code("cycle_train", "launch"),
    output:
        **({"trace": "{run}/seed-{seed}/trace.tsv"} if EXPERIMENT.run.trace else {}),
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
        progress="{run}/seed-{seed}/progress.npy",
    log:
        "logs/{run}/cycle_train-{seed}.log",
    wildcard_constraints:
        run=OF_GANS,
    container:
        None if NODES > 1 else IMAGE
    threads: workflow.cores or 1
    resources:
        **TRAINING,
        node_gpus=GPUS,
        processes=EXPERIMENT.run.processes,
        runtime=720,
        mem_mb=16000,
    params:
        cause=cause("data", "domains", "cycle"),
    message:
        "Train the CycleGAN with seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} --nodes {resources.nodes:q}"
        " --gpus {resources.node_gpus:q} --cpus {threads:q} dawn.cycle_train"
        " --params {wildcards.run:q}/params.yaml --data data --seed {wildcards.seed:q}"
        " --out {wildcards.run:q}/seed-{wildcards.seed:q}"


rule cycle_evaluate:
    input:
        DOMAINS,
        "data/domains.json",
        [ARRAYS, "data/dataset.json", "data/stats.json", JUDGE_FILES, rules.judges.input] if JUDGES else [],
        code=code("cycle_evaluate"),
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
        progress="{run}/seed-{seed}/progress.npy",
    output:
        [f"{{run}}/seed-{{seed}}/{name}.npy" for name in ("in_a", "in_b", "back_a", "back_b")],
        "{run}/seed-{seed}/evaluation.json",
        manifest="{run}/manifests/{seed}.json",
    log:
        "logs/{run}/cycle_evaluate-{seed}.log",
    wildcard_constraints:
        run=OF_GANS,
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        runtime=120,
        mem_mb=16000,
    params:
        cause=cause("judge") if JUDGES else "",
        judges=["--stats", "data/stats.json", "--judges", *seeds(JUDGE)] if JUDGES else [],
    message:
        "Translate the test images, seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.cycle_evaluate --params {wildcards.run:q}/params.yaml --data data {params.judges:q}"
        " --model {input.weights:q} --out {wildcards.run:q}/seed-{wildcards.seed:q} --manifest {output.manifest:q}"
