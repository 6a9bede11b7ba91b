"""The pages of a GAN: its networks, the numbers over the seeds, figures, the summary, the crate."""


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
        "DAWN_LOG={log:q} python -m dawn.gan_model --params {wildcards.run:q}/params.yaml --data data --size {params.size:q}"
        " --out {output.figures:q} --text {output.text:q}"


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
        "DAWN_LOG={log:q} python -m dawn.gan_summarize {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --model {input.model:q} --out {output.metrics:q} --plots {wildcards.run:q}"


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
        "DAWN_LOG={log:q} python -m dawn.gan_plot {params.seeds:q} --params {wildcards.run:q}/params.yaml --data data"
        " --out {wildcards.run:q}/plots"


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
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Write the summary page"
    shell:
        "DAWN_LOG={log:q} python -m dawn.gan_summary {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --metrics {input.metrics:q} --provenance {input.provenance:q} --root {params.root:q}"
        " --plots {wildcards.run:q}/plots --out {output.page:q}"


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
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Pack the run as an RO-Crate"
    shell:
        "DAWN_LOG={log:q} python -m dawn.crate --root {params.root:q} --results {wildcards.run:q} --data data --out {output:q}"
