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


# What a judge sees in the real images and in the reference sets is the same for all seeds and variants.
rule judge_features:
    input:
        ARRAYS,
        code=code("judge_features"),
        stats="data/stats.json",
        weights=f"{JUDGE}/seed-{{judge}}/model.safetensors",
    output:
        f"{JUDGE}/seed-{{judge}}/features.npz",
    log:
        f"logs/{JUDGE}/features-{{judge}}.log",
    wildcard_constraints:
        judge=r"\d+",
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        runtime=60,
        mem_mb=16000,
    params:
        cause=EXPERIMENT.text("data"),
    message:
        "Compute the features of the real images, judge {wildcards.judge}"
    shell:
        "DAWN_LOG={log} python -m dawn.judge_features --data data --stats {input.stats} --model {input.weights}"
        " --out {output}"


rule gan_evaluate:
    input:
        ARRAYS,
        code=code("gan_evaluate"),
        stats="data/stats.json",
        judges=[f"{seed}/{file}" for seed in seeds(JUDGE) for file in ("model.safetensors", "features.npz")],
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
        progress="{run}/seed-{seed}/progress.npy",
    output:
        "{run}/seed-{seed}/evaluation.json",
        "{run}/seed-{seed}/features.npz",
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
    message:
        "Sample and measure seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log} python -m dawn.gan_evaluate --params {wildcards.run}/params.yaml --data data"
        " --stats {input.stats} --model {input.weights} --judges {params.judges}"
        " --out {wildcards.run}/seed-{wildcards.seed} --manifest {output.manifest}"


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


rule gan_summary:
    input:
        of_seeds("evaluation.json", "metrics.json", "samples.npy"),
        code=code("gan_summary"),
        metrics="{run}/metrics.json",
        provenance="{run}/provenance.json",
    output:
        report(
            "{run}/summary.html",
            caption="../report/summary.rst",
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
        " --metrics {input.metrics} --provenance {input.provenance} --root {params.root:q} --out {output.page}"
