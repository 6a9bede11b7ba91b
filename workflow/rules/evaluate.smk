"""The evaluation of each seed, and the summary over the seeds."""


rule evaluate:
    input:
        ARRAYS,
        code=code("evaluate", "launch"),
        stats="data/stats.json",
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
    output:
        "{run}/seed-{seed}/evaluation.json",
        "{run}/seed-{seed}/predictions.npz",
        "{run}/seed-{seed}/confusion.csv",
        manifest="{run}/manifests/{seed}.json",
    log:
        "logs/{run}/evaluate-{seed}.log",
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        processes=EXPERIMENT.run.processes,
        runtime=60,
        mem_mb=16000,
    params:
        cause=cause("evaluate"),
    message:
        "Evaluate seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} dawn.evaluate"
        " --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q} --model {input.weights:q}"
        " --out {wildcards.run:q}/seed-{wildcards.seed:q} --manifest {output.manifest:q}"


rule summarize:
    input:
        of_seeds("evaluation.json", "metrics.json", "curve.tsv", "confusion.csv"),
        lambda wildcards: [f"{wildcards.run}/manifests/{s.rpartition('-')[2]}.json" for s in seeds(wildcards.run)],
        code=code("summarize"),
        model="{run}/model.json",
    output:
        metrics="{run}/metrics.json",
        curves="{run}/curves.json",
        confusion="{run}/confusion.csv",
        classes="{run}/classes.csv",
    log:
        "logs/{run}/summarize.log",
    params:
        cause=cause("evaluate", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
        price=lambda wildcards: EXPERIMENTS[wildcards.run].submission.cost_per_hour,
    message:
        "Summarize the seeds"
    shell:
        "DAWN_LOG={log:q} python -m dawn.summarize {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --model {input.model:q} --out {output.metrics:q} --plots {wildcards.run:q}"


rule provenance:
    input:
        of_seeds("metrics.json"),
        code=code("provenance"),
        dataset="data/domains.json" if CYCLE else "data/dataset.json",
    output:
        "{run}/provenance.json",
    log:
        "logs/{run}/provenance.log",
    wildcard_constraints:
        run=ANY_RUN if CLASSIFY else f"{OF_GANS}|{re.escape(JUDGE)}",
    resources:
        **ONE_NODE,
    params:
        root=lambda wildcards: os.path.relpath(ROOT),
        about=lambda wildcards, input: os.path.basename(input.dataset),
    message:
        "Write the provenance"
    shell:
        "DAWN_LOG={log:q} python -m dawn.provenance --root {params.root:q} --data data --about {params.about:q}"
        " --out {output:q}"


rule summary:
    input:
        of_seeds("metrics.json"),
        code=code("summary"),
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
        "logs/{run}/summary.log",
    params:
        cause=cause("data", "model", "train", "evaluate", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Write the summary page"
    shell:
        "DAWN_LOG={log:q} python -m dawn.summary {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --metrics {input.metrics:q} --provenance {input.provenance:q} --root {params.root:q} --out {output.page:q}"
