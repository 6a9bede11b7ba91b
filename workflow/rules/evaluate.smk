"""The judgement of each seed, and of all of them."""


rule evaluate:
    input:
        ARRAYS,
        code=code("evaluate", "launch"),
        stats="data/stats.json",
        weights="results/seed-{seed}/model.safetensors",
    output:
        "results/seed-{seed}/evaluation.json",
        "results/seed-{seed}/predictions.npz",
        "results/seed-{seed}/confusion.csv",
    log:
        "logs/evaluate-{seed}.log",
    threads: workflow.cores or 1
    resources:
        processes=EXPERIMENT.run.processes,
    params:
        cause=EXPERIMENT.text("evaluate"),
    message:
        "Evaluate seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log} python -m dawn.launch --processes {resources.processes} dawn.evaluate"
        " --params results/params.yaml --data data --stats {input.stats} --model {input.weights}"
        " --out results/seed-{wildcards.seed}"


rule summarize:
    input:
        expand(
            "{seed}/{file}",
            seed=SEEDS,
            file=["evaluation.json", "metrics.json", "curve.tsv"],
        ),
        code=code("summarize"),
        model="results/model.json",
    output:
        metrics="results/metrics.json",
        summary="results/summary.md",
    log:
        "logs/summarize.log",
    params:
        cause=EXPERIMENT.text("evaluate", "seeds"),
        seeds=SEEDS,
    message:
        "Gather the seeds"
    shell:
        "DAWN_LOG={log} python -m dawn.summarize {params.seeds} --params results/params.yaml --model {input.model}"
        " --out {output.metrics} --summary {output.summary}"


rule provenance:
    input:
        expand("{seed}/metrics.json", seed=SEEDS),
        code=code("provenance"),
        dataset="data/dataset.json",
    output:
        "results/provenance.json",
    log:
        "logs/provenance.log",
    params:
        root=ROOT,
    message:
        "Write down what the results came out of"
    shell:
        "DAWN_LOG={log} python -m dawn.provenance --root {params.root:q} --data data --out {output}"
