"""How samples are measured: what the judges make of reference images, and a classifier trained on samples."""


# What the judges make of the real images and of the reference sets is the same for all seeds and variants.
rule references:
    input:
        ARRAYS,
        JUDGE_FILES,
        code=lambda wildcards: code_for(JUDGES, "tasks.generative.references"),
        dataset="data/dataset.json",
        stats="data/stats.json",
    output:
        [f"{SHARED}/references/judge-{seed}.npz" for seed in JUDGES.seeds],
        scores=f"{SHARED}/references/references.json",
    log:
        f"logs/{SHARED}/references.log",
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        shared=SHARED,
        runtime=120,
        mem_mb=16000,
    params:
        neighbours=EXPERIMENT.measures.neighbours,
        judges=seeds(JUDGE),
    message:
        "Measure reference images with the judges"
    shell:
        "DAWN_LOG={log:q} python -m dawn.tasks.generative.references --params {resources.shared:q}/params.yaml --data data"
        " --stats {input.stats:q} --judges {params.judges:q} --out {output.scores:q}"


# Classification accuracy score: the judges' network is trained on samples and tested on real images.
rule cas:
    input:
        ARRAYS,
        code=lambda wildcards: (
            code_for(JUDGES, "train", "evaluate", "launch")
            + code_for(EXPERIMENTS[wildcards.run], "tasks.generative.cas_images", f"tasks.{TASK.name}.sampling")
        ),
        stats="data/stats.json",
        weights="{run}/seed-{seed}/model.safetensors",
    output:
        [f"{{run}}/cas/seed-{{seed}}/{file}" for file in JUDGES.declared.seed_files],
    log:
        "logs/{run}/cas-{seed}.log",
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        processes=EXPERIMENT.run.processes,
        runtime=720,
        mem_mb=16000,
    params:
        cause=lambda wildcards: JUDGES.text("data", "model", "train", "evaluate"),
        truncation=lambda wildcards: RUNS[wildcards.run].measures.truncation,
        judge=JUDGE,
        folder="{run}/cas/seed-{seed}",
    message:
        "Train a classifier on the samples of seed {wildcards.seed}"
    shell:
        "export DAWN_LOG={log:q} &&"
        " python -m dawn.tasks.generative.cas_images --params {wildcards.run:q}/params.yaml --data data"
        " --model {input.weights:q} --seed {wildcards.seed:q} --out {params.folder:q}/data &&"
        " python -m dawn.launch --processes {resources.processes:q} --cpus {threads:q} dawn.train"
        " --params {params.judge:q}/params.yaml --data {params.folder:q}/data --stats {input.stats:q}"
        " --seed {wildcards.seed:q} --out {params.folder:q} &&"
        " python -m dawn.launch --processes {resources.processes:q} dawn.evaluate --params {params.judge:q}/params.yaml"
        " --data {params.folder:q}/data --stats {input.stats:q} --model {params.folder:q}/model.safetensors"
        " --out {params.folder:q} && rm -r {params.folder:q}/data"


EVALUATION_INPUTS += [
    rules.references.output,
    lambda wildcards: (
        f"{wildcards.run}/cas/seed-{wildcards.seed}/predictions.npz" if RUNS[wildcards.run].measures.cas else []
    ),
]
EVALUATION_OPTIONS += [
    lambda wildcards: ["--references", f"{SHARED}/references/references.json"],
    lambda wildcards: (
        ["--cas", f"{wildcards.run}/cas/seed-{wildcards.seed}"] if RUNS[wildcards.run].measures.cas else []
    ),
]
