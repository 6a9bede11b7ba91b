"""A CycleGAN: its domains, training, translations with their measures, and its pages. train.smk trains the judges."""


# On a cluster these run where snakemake was started: they are short.
localrules:
    cycle_summarize,
    cycle_summary,
    cycle_plot,
    cycle_pack,


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
        cause=EXPERIMENT.text("domains"),
    message:
        "Make the two domains"
    shell:
        "DAWN_LOG={log} python -m dawn.domains --params {resources.shared}/params.yaml --data data"


rule cycle_model:
    input:
        code=code("cycle_model"),
    output:
        figures="{run}/model.json",
        text="{run}/model.txt",
    log:
        "logs/{run}/cycle_model.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("cycle", "seeds"),
        size=EXPERIMENT.data.size or 32,
    message:
        "Describe the generators and the critics"
    shell:
        "DAWN_LOG={log} python -m dawn.cycle_model --params {wildcards.run}/params.yaml --size {params.size}"
        " --out {output.figures} --text {output.text}"


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
        "DAWN_LOG={log} python -m dawn.launch --processes {resources.processes} --nodes {resources.nodes}"
        " --gpus {resources.node_gpus} --cpus {threads} dawn.cycle_train"
        " --params {wildcards.run}/params.yaml --data data --seed {wildcards.seed}"
        " --out {wildcards.run}/seed-{wildcards.seed}"


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
        judges=["--stats data/stats.json --judges", *seeds(JUDGE)] if JUDGES else "",
    message:
        "Translate the test images, seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log} python -m dawn.cycle_evaluate --params {wildcards.run}/params.yaml --data data {params.judges}"
        " --model {input.weights} --out {wildcards.run}/seed-{wildcards.seed} --manifest {output.manifest}"


rule cycle_summarize:
    input:
        of_seeds("evaluation.json", "metrics.json", "curve.tsv"),
        lambda wildcards: [f"{wildcards.run}/manifests/{s.rpartition('-')[2]}.json" for s in seeds(wildcards.run)],
        code=code("cycle_summarize"),
    output:
        metrics="{run}/metrics.json",
        curves="{run}/curves.json",
    log:
        "logs/{run}/cycle_summarize.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
        price=lambda wildcards: RUNS[wildcards.run].submission.cost_per_hour,
    message:
        "Summarize the seeds"
    shell:
        "DAWN_LOG={log} python -m dawn.cycle_summarize {params.seeds} --params {wildcards.run}/params.yaml"
        " --out {output.metrics} --plots {wildcards.run}"


rule cycle_plot:
    input:
        of_seeds("evaluation.json", "metrics.json", "curve.tsv", "in_a.npy", "in_b.npy", "back_a.npy", "back_b.npy"),
        DOMAINS,
        code=code("cycle_plot"),
    output:
        figure("cycle-images", "1 Result", "source, translation, cycle"),
        figure("cycle-progress", "2 Training", "translations along the training"),
        figure("cycle-curves", "2 Training", "losses and measures by epoch"),
    log:
        "logs/{run}/cycle_plot.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("cycle", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
    message:
        "Draw the figures"
    shell:
        "DAWN_LOG={log} python -m dawn.cycle_plot {params.seeds} --params {wildcards.run}/params.yaml --data data"
        " --out {wildcards.run}/plots"


rule cycle_summary:
    input:
        of_seeds("evaluation.json", "metrics.json"),
        rules.cycle_plot.output,
        code=code("cycle_summary"),
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
        "logs/{run}/cycle_summary.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        cause=cause("data", "domains", "cycle", "judge", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
        root=os.path.relpath(ROOT),
    message:
        "Write the summary page"
    shell:
        "DAWN_LOG={log} python -m dawn.cycle_summary {params.seeds} --params {wildcards.run}/params.yaml"
        " --metrics {input.metrics} --provenance {input.provenance} --root {params.root:q}"
        " --plots {wildcards.run}/plots --out {output.page}"


# Runs in the host's Python, without a container: the image has no RO-Crate library.
rule cycle_pack:
    input:
        rules.cycle_plot.output,
        of_seeds("model.safetensors", "curve.tsv", "metrics.json", "progress.npy", "evaluation.json"),
        of_seeds("in_a.npy", "in_b.npy", "back_a.npy", "back_b.npy"),
        "{run}/metrics.json",
        "{run}/model.json",
        "{run}/model.txt",
        "{run}/provenance.json",
        "{run}/summary.md",
        code=code("crate"),
        dataset="data/domains.json",
    output:
        "{run}/crate.zip",
    log:
        "logs/{run}/cycle_pack.log",
    wildcard_constraints:
        run=OF_GANS,
    params:
        root=os.path.relpath(ROOT),
    message:
        "Pack the run as an RO-Crate"
    shell:
        "DAWN_LOG={log} python -m dawn.crate --root {params.root:q} --results {wildcards.run} --data data --out {output}"
