"""For an experiment, and for its judges: the networks, the numbers over the seeds, figures, provenance, the page, the crate.

On a cluster these run where snakemake was started, as they are short.
"""

for GROUP, (GROUP_TASK, GROUP_RUNS) in GROUPS.items():
    FIRST = next(iter(GROUP_RUNS.values()), EXPERIMENT)
    WHAT = "a judge" if GROUP else GROUP_TASK.title

    rule:
        name:
            f"model{GROUP}"
        input:
            code=code("model"),
            classes="data/dataset.json" if GROUP_TASK.about == "dataset.json" else [],
        output:
            figures="{run}/model.json",
            text="{run}/model.txt",
        log:
            "logs/{run}/model.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
        params:
            cause=cause(*GROUP_TASK.networks, "seeds"),
            size=lambda wildcards: EXPERIMENTS[wildcards.run].declared.last_size(EXPERIMENTS[wildcards.run]),
        message:
            f"Describe the networks of {WHAT}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.model --params {wildcards.run:q}/params.yaml --data data --size {params.size:q}"
            " --out {output.figures:q} --text {output.text:q}"

    rule:
        name:
            f"summarize{GROUP}"
        input:
            of_seeds("metrics.json", "evaluation.json", *GROUP_TASK.training_files, *GROUP_TASK.evaluation_files),
            manifests,
            code=code("summarize"),
            model="{run}/model.json",
        output:
            metrics="{run}/metrics.json",
            curves="{run}/curves.json",
            others=[f"{{run}}/{name}" for name in GROUP_TASK.summary_files],
        log:
            "logs/{run}/summarize.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
        localrule: True
        params:
            cause=cause(*FIRST.evaluated_by, "seeds"),
            seeds=lambda wildcards: seeds(wildcards.run),
            price=lambda wildcards: EXPERIMENTS[wildcards.run].submission.cost_per_hour,
        message:
            "Summarize the seeds"
        shell:
            "DAWN_LOG={log:q} python -m dawn.summarize {params.seeds:q} --params {wildcards.run:q}/params.yaml"
            " --model {input.model:q} --out {output.metrics:q} --plots {wildcards.run:q}"

    rule:
        name:
            f"plot{GROUP}"
        input:
            of_seeds("metrics.json", "evaluation.json", *GROUP_TASK.training_files, *GROUP_TASK.evaluation_files),
            manifests,
            [f"data/{name}" for name in GROUP_TASK.data(FIRST)],
            code=code("plot"),
        output:
            [shown(f"plots/{figure.name}.png", GROUP_TASK, *figure) for figure in GROUP_TASK.figures],
        log:
            "logs/{run}/plot.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
        localrule: True
        params:
            cause=cause(*FIRST.decided_by, "seeds"),
            seeds=lambda wildcards: seeds(wildcards.run),
        message:
            "Draw the figures"
        shell:
            "DAWN_LOG={log:q} python -m dawn.plot {params.seeds:q} --params {wildcards.run:q}/params.yaml --data data"
            " --out {wildcards.run:q}/plots"

    rule:
        name:
            f"provenance{GROUP}"
        input:
            of_seeds("metrics.json"),
            code=closure("provenance"),
            about=f"data/{GROUP_TASK.about}",
        output:
            "{run}/provenance.json",
        log:
            "logs/{run}/provenance.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
        localrule: True
        params:
            root=lambda wildcards: os.path.relpath(ROOT),
            about=GROUP_TASK.about,
            seeds=lambda wildcards: seeds(wildcards.run),
        message:
            "Write the provenance"
        shell:
            "DAWN_LOG={log:q} python -m dawn.provenance --root {params.root:q} --data data --about {params.about:q}"
            " --out {output:q} {params.seeds:q}"

    rule:
        name:
            f"summary{GROUP}"
        input:
            of_seeds("evaluation.json", "metrics.json"),
            [f"{{run}}/plots/{name}.png" for name in GROUP_TASK.page_figures],
            code=code("summary"),
            metrics="{run}/metrics.json",
            provenance="{run}/provenance.json",
        output:
            shown("summary.html", GROUP_TASK, "summary", "1 Result", "the run on one page"),
            page="{run}/summary.md",
        log:
            "logs/{run}/summary.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
        localrule: True
        params:
            cause=cause(*FIRST.decided_by, "seeds"),
            seeds=lambda wildcards: seeds(wildcards.run),
            root=lambda wildcards: os.path.relpath(ROOT),
        message:
            "Write the summary page"
        shell:
            "DAWN_LOG={log:q} python -m dawn.summary {params.seeds:q} --params {wildcards.run:q}/params.yaml"
            " --metrics {input.metrics:q} --provenance {input.provenance:q} --root {params.root:q}"
            " --plots {wildcards.run:q}/plots --out {output.page:q}"


# Runs in the host's Python, without a container: the image has no RO-Crate library.
rule pack:
    input:
        of_seeds("metrics.json", "evaluation.json", *TASK.training_files, *TASK.evaluation_files),
        [f"{{run}}/plots/{figure.name}.png" for figure in TASK.figures],
        [f"{{run}}/{name}" for name in ("metrics.json", "model.json", "model.txt", "provenance.json", "summary.md")],
        [f"{{run}}/plots/{name}.png" for name in TASK.other_figures],
        code=code("crate"),
    output:
        "{run}/crate.zip",
    log:
        "logs/{run}/pack.log",
    localrule: True
    params:
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Pack the run as an RO-Crate"
    shell:
        "DAWN_LOG={log:q} python -m dawn.crate --root {params.root:q} --results {wildcards.run:q} --data data --out {output:q}"


# The raw rows of the finished experiment, for docs/measurements (CONTRIBUTING.md).
rule measurement:
    input:
        of_seeds("metrics.json"),
        manifests,
        code=code("measurement"),
        provenance="{run}/provenance.json",
    output:
        "{run}/measurement.json",
    log:
        "logs/{run}/measurement.log",
    localrule: True
    params:
        cause=lambda wildcards: EXPERIMENTS[wildcards.run].text("seeds"),
    message:
        "Gather the rows of {wildcards.run}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.measurement {wildcards.run:q} --measurement {output:q}"
