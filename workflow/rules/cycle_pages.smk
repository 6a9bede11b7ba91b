"""The pages of a CycleGAN: its networks, the numbers over the seeds, figures, the summary, the crate."""


# On a cluster these run where snakemake was started: they are short.
localrules:
    cycle_summarize,
    cycle_summary,
    cycle_plot,
    cycle_pack,


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
        "DAWN_LOG={log:q} python -m dawn.cycle_model --params {wildcards.run:q}/params.yaml --size {params.size:q}"
        " --out {output.figures:q} --text {output.text:q}"


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
        "DAWN_LOG={log:q} python -m dawn.cycle_summarize {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --out {output.metrics:q} --plots {wildcards.run:q}"


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
        "DAWN_LOG={log:q} python -m dawn.cycle_plot {params.seeds:q} --params {wildcards.run:q}/params.yaml --data data"
        " --out {wildcards.run:q}/plots"


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
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Write the summary page"
    shell:
        "DAWN_LOG={log:q} python -m dawn.cycle_summary {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --metrics {input.metrics:q} --provenance {input.provenance:q} --root {params.root:q}"
        " --plots {wildcards.run:q}/plots --out {output.page:q}"


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
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Pack the run as an RO-Crate"
    shell:
        "DAWN_LOG={log:q} python -m dawn.crate --root {params.root:q} --results {wildcards.run:q} --data data --out {output:q}"
