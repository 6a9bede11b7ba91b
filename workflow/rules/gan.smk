"""A GAN: training, samples, their measures by the judges, and its pages. The judges are trained by train.smk."""


# On a cluster these run where snakemake was started: they are short.
localrules:
    gan_summarize,
    gan_summary,
    gan_plot,
    gan_pack,


rule gan_model:
    input:
        code=code("gan_model"),
        dataset="data/dataset.json",
    output:
        figures="{run}/model.json",
        text="{run}/model.txt",
    log:
        "logs/{run}/gan_model.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("gan", "seeds"),
        size=EXPERIMENT.data.size or 32,
    message:
        "Describe the generator and the critic"
    shell:
        "DAWN_LOG={log} python -m dawn.gan_model --params {wildcards.run}/params.yaml --data data --size {params.size}"
        " --out {output.figures} --text {output.text}"


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


rule gan_summarize:
    input:
        of_seeds("evaluation.json", "metrics.json", "curve.tsv"),
        lambda wildcards: [f"{wildcards.run}/manifests/{s.rpartition('-')[2]}.json" for s in seeds(wildcards.run)],
        code=code("gan_summarize"),
        model="{run}/model.json",
    output:
        metrics="{run}/metrics.json",
        curves="{run}/curves.json",
    log:
        "logs/{run}/gan_summarize.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
        price=lambda wildcards: RUNS[wildcards.run].submission.cost_per_hour,
    message:
        "Summarize the seeds"
    shell:
        "DAWN_LOG={log} python -m dawn.gan_summarize {params.seeds} --params {wildcards.run}/params.yaml"
        " --model {input.model} --out {output.metrics} --plots {wildcards.run}"


rule gan_plot:
    input:
        of_seeds("evaluation.json", "metrics.json", "curve.tsv", "model.safetensors"),
        of_seeds("samples.npy", "sample_labels.npy", "interpolation.npy", "progress.npy"),
        "data/train_images.npy",
        "data/test_images.npy",
        lambda wildcards: [f"{wildcards.run}/manifests/{s.rpartition('-')[2]}.json" for s in seeds(wildcards.run)],
        code=code("gan_plot"),
        dataset="data/dataset.json",
    output:
        figure("gan-losses", "2 Training", "losses and scores"),
        figure("gan-progress", "2 Training", "samples along the training"),
        figure("gan-kid", "2 Training", "KID-judge along the training"),
        figure("gan-samples", "3 Samples", "samples by class"),
        figure("gan-interpolation", "3 Samples", "between latent vectors"),
        figure("gan-neighbours", "3 Samples", "nearest train images"),
        figure("gan-measures", "4 Measures", "measures and references"),
        figure("gan-spectrum", "4 Measures", "spectrum"),
    log:
        "logs/{run}/gan_plot.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("gan", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
    message:
        "Draw the figures"
    shell:
        "DAWN_LOG={log} python -m dawn.gan_plot {params.seeds} --params {wildcards.run}/params.yaml --data data"
        " --out {wildcards.run}/plots"


rule gan_summary:
    input:
        of_seeds("evaluation.json", "metrics.json"),
        rules.gan_plot.output,
        code=code("gan_summary"),
        metrics="{run}/metrics.json",
        provenance="{run}/provenance.json",
    output:
        report(
            "{run}/summary.html",
            caption="../report/gan-summary.rst",
            category="1 Result",
            labels={"figure": "the run on one page", "experiment": "{run}"},
        ),
        page="{run}/summary.md",
    log:
        "logs/{run}/gan_summary.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("data", "gan", "judge", "measures", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
        root=os.path.relpath(ROOT),
    message:
        "Write the summary page"
    shell:
        "DAWN_LOG={log} python -m dawn.gan_summary {params.seeds} --params {wildcards.run}/params.yaml"
        " --metrics {input.metrics} --provenance {input.provenance} --root {params.root:q}"
        " --plots {wildcards.run}/plots --out {output.page}"


# Runs in the host's Python, without a container: the image has no RO-Crate library.
rule gan_pack:
    input:
        rules.gan_plot.input,
        rules.gan_plot.output,
        "{run}/metrics.json",
        "{run}/model.json",
        "{run}/model.txt",
        "{run}/provenance.json",
        "{run}/summary.md",
        code=code("crate"),
    output:
        "{run}/crate.zip",
    log:
        "logs/{run}/gan_pack.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        root=os.path.relpath(ROOT),
    message:
        "Pack the run as an RO-Crate"
    shell:
        "DAWN_LOG={log} python -m dawn.crate --root {params.root:q} --results {wildcards.run} --data data --out {output}"
