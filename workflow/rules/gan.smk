"""A GAN: training, samples, and their measures by the judges, which train.smk trains."""


rule gan_train:
    input:
        ARRAYS,
        code=code("gan_train", "launch"),
        dataset="data/dataset.json",
    output:
        **({"trace": "{run}/seed-{seed}/trace.tsv"} if EXPERIMENT.run.trace else {}),
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
        progress="{run}/seed-{seed}/progress.npy",
    log:
        "logs/{run}/gan_train-{seed}.log",
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
        cause=cause("data", "gan"),
    message:
        "Train the GAN with seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} --nodes {resources.nodes:q}"
        " --gpus {resources.node_gpus:q} --cpus {threads:q} dawn.gan_train"
        " --params {wildcards.run:q}/params.yaml --data data --seed {wildcards.seed:q}"
        " --out {wildcards.run:q}/seed-{wildcards.seed:q}"


# What the judges make of the real images and of the reference sets is the same for all seeds and variants.
rule gan_references:
    input:
        ARRAYS,
        code=code("gan_references"),
        dataset="data/dataset.json",
        stats="data/stats.json",
        judges=JUDGE_FILES,
        manifests=rules.judges.input,
    output:
        [f"{SHARED}/references/judge-{seed}.npz" for seed in JUDGES.seeds],
        scores=f"{SHARED}/references/references.json",
    log:
        f"logs/{SHARED}/gan_references.log",
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
        "DAWN_LOG={log:q} python -m dawn.gan_references --params {resources.shared:q}/params.yaml --data data"
        " --stats {input.stats:q} --judges {params.judges:q} --out {output.scores:q}"


# Classification accuracy score: the judges' network is trained on samples and tested on real images.
rule gan_cas:
    input:
        ARRAYS,
        code=code("gan_dataset", "train", "evaluate", "launch"),
        stats="data/stats.json",
        weights="{run}/seed-{seed}/model.safetensors",
    output:
        [f"{{run}}/cas/seed-{{seed}}/{file}" for file in ("curve.tsv", "metrics.json", "model.safetensors")],
        [f"{{run}}/cas/seed-{{seed}}/{file}" for file in ("evaluation.json", "predictions.npz", "confusion.csv")],
    log:
        "logs/{run}/gan_cas-{seed}.log",
    wildcard_constraints:
        run=OF_GANS,
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
        " python -m dawn.gan_dataset --params {wildcards.run:q}/params.yaml --data data --model {input.weights:q}"
        " --seed {wildcards.seed:q} --out {params.folder:q}/data &&"
        " python -m dawn.launch --processes {resources.processes:q} --cpus {threads:q} dawn.train"
        " --params {params.judge:q}/params.yaml --data {params.folder:q}/data --stats {input.stats:q}"
        " --seed {wildcards.seed:q} --out {params.folder:q} &&"
        " python -m dawn.launch --processes {resources.processes:q} dawn.evaluate --params {params.judge:q}/params.yaml"
        " --data {params.folder:q}/data --stats {input.stats:q} --model {params.folder:q}/model.safetensors"
        " --out {params.folder:q} && rm -r {params.folder:q}/data"


rule gan_evaluate:
    input:
        ARRAYS,
        rules.gan_references.output,
        rules.gan_references.input.judges,
        lambda wildcards: (
            f"{wildcards.run}/cas/seed-{wildcards.seed}/predictions.npz" if RUNS[wildcards.run].measures.cas else []
        ),
        code=code("gan_evaluate"),
        stats="data/stats.json",
        references=rules.gan_references.output.scores,
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
        progress="{run}/seed-{seed}/progress.npy",
    output:
        "{run}/seed-{seed}/evaluation.json",
        "{run}/seed-{seed}/interpolation.npy",
        "{run}/seed-{seed}/sample_labels.npy",
        "{run}/seed-{seed}/samples.npy",
        manifest="{run}/manifests/{seed}.json",
    log:
        "logs/{run}/gan_evaluate-{seed}.log",
    wildcard_constraints:
        run=OF_GANS,
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        runtime=120,
        mem_mb=16000,
    params:
        cause=cause("judge", "measures"),
        judges=seeds(JUDGE),
        cas=lambda wildcards: (
            ["--cas", f"{wildcards.run}/cas/seed-{wildcards.seed}"] if RUNS[wildcards.run].measures.cas else []
        ),
    message:
        "Sample and measure seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.gan_evaluate --params {wildcards.run:q}/params.yaml --data data"
        " --stats {input.stats:q} --model {input.weights:q} --judges {params.judges:q} --references {input.references:q}"
        " {params.cas:q} --out {wildcards.run:q}/seed-{wildcards.seed:q} --manifest {output.manifest:q}"
