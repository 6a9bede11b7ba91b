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


rule seal:
    input:
        "results/seed-{seed}/confusion.csv",
        "results/seed-{seed}/curve.tsv",
        "results/seed-{seed}/evaluation.json",
        "results/seed-{seed}/metrics.json",
        "results/seed-{seed}/model.safetensors",
        "results/seed-{seed}/predictions.npz",
        code=code("seal"),
    output:
        "results/seals/{seed}.json",
    log:
        "logs/seal-{seed}.log",
    message:
        "Seal seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log} python -m dawn.seal --params results/params.yaml --seed results/seed-{wildcards.seed}"
        " --out {output}"


rule summarize:
    input:
        expand(
            "{seed}/{file}",
            seed=SEEDS,
            file=["evaluation.json", "metrics.json", "curve.tsv", "confusion.csv"],
        ),
        expand("results/seals/{seed}.json", seed=EXPERIMENT.seeds),
        code=code("summarize"),
        model="results/model.json",
    output:
        metrics="results/metrics.json",
        summary="results/summary.md",
        curves="results/curves.json",
        confusion="results/confusion.csv",
        classes="results/classes.csv",
    log:
        "logs/summarize.log",
    params:
        cause=EXPERIMENT.text("evaluate", "seeds"),
        seeds=SEEDS,
        price=EXPERIMENT.submission.cost_per_hour,
    message:
        "Gather the seeds"
    shell:
        "DAWN_LOG={log} python -m dawn.summarize {params.seeds} --params results/params.yaml --model {input.model}"
        " --seals results/seals --out {output.metrics} --summary {output.summary} --plots results"


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
