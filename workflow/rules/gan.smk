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
        "DAWN_LOG={log} python -m dawn.launch --processes {resources.processes} --nodes {resources.nodes}"
        " --gpus {resources.node_gpus} --cpus {threads} dawn.gan_train"
        " --params {wildcards.run}/params.yaml --data data --seed {wildcards.seed}"
        " --out {wildcards.run}/seed-{wildcards.seed}"


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
        "DAWN_LOG={log} python -m dawn.gan_references --params {resources.shared}/params.yaml --data data"
        " --stats {input.stats} --judges {params.judges} --out {output.scores}"


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
        cause=JUDGES.text("data", "model", "train", "evaluate"),
        truncation=lambda wildcards: RUNS[wildcards.run].measures.truncation,
        judge=JUDGE,
        folder="{run}/cas/seed-{seed}",
    message:
        "Train a classifier on the samples of seed {wildcards.seed}"
    shell:
        "export DAWN_LOG={log} &&"
        " python -m dawn.gan_dataset --params {wildcards.run}/params.yaml --data data --model {input.weights}"
        " --seed {wildcards.seed} --out {params.folder}/data &&"
        " python -m dawn.launch --processes {resources.processes} --cpus {threads} dawn.train"
        " --params {params.judge}/params.yaml --data {params.folder}/data --stats {input.stats}"
        " --seed {wildcards.seed} --out {params.folder} &&"
        " python -m dawn.launch --processes {resources.processes} dawn.evaluate --params {params.judge}/params.yaml"
        " --data {params.folder}/data --stats {input.stats} --model {params.folder}/model.safetensors"
        " --out {params.folder} && rm -r {params.folder}/data"


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
            f"--cas {wildcards.run}/cas/seed-{wildcards.seed}" if RUNS[wildcards.run].measures.cas else ""
        ),
    message:
        "Sample and measure seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log} python -m dawn.gan_evaluate --params {wildcards.run}/params.yaml --data data"
        " --stats {input.stats} --model {input.weights} --judges {params.judges} --references {input.references}"
        " {params.cas} --out {wildcards.run}/seed-{wildcards.seed} --manifest {output.manifest}"
