"""Figures for the report (docs/report.md), and the run as an RO-Crate."""


rule plot:
    input:
        of_seeds("evaluation.json", "metrics.json", "curve.tsv", "predictions.npz", "model.safetensors"),
        code=code("plot"),
        dataset="data/dataset.json",
        images="data/test_images.npy",
    output:
        figure("curves", "2 Training", "loss and accuracy by epoch"),
        figure("cycle", "2 Training", "learning rate and momentum"),
        figure("time", "2 Training", "time to the target"),
        figure("calibration", "3 Errors", "calibration"),
        figure("classes", "3 Errors", "errors of each class"),
        figure("confusion", "3 Errors", "confusion of the classes"),
        figure("mistakes", "3 Errors", "most confident mistakes"),
        figure("filters", "4 Images", "first-layer filters"),
    log:
        "logs/{run}/plot.log",
    params:
        cause=cause("train", "evaluate", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
    message:
        "Draw the figures"
    shell:
        "DAWN_LOG={log:q} python -m dawn.plot {params.seeds:q} --params {wildcards.run:q}/params.yaml --data data"
        " --out {wildcards.run:q}/plots"


rule contact_sheet:
    input:
        ARRAYS,
        code=code("contact_sheet"),
        stats="data/stats.json",
    output:
        figure("images", "4 Images", "training images"),
    log:
        "logs/{run}/contact_sheet.log",
    params:
        cause=cause("train", "seeds"),
    message:
        "Draw training images before and after augmentation"
    shell:
        "DAWN_LOG={log:q} python -m dawn.contact_sheet --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q}"
        " --out {output:q}"


# Runs in the host's Python, without a container: the image has no RO-Crate library.
rule pack:
    input:
        rules.plot.output,
        of_seeds("model.safetensors", "curve.tsv", "metrics.json"),
        of_seeds("evaluation.json", "predictions.npz", "confusion.csv"),
        "{run}/metrics.json",
        "{run}/model.json",
        "{run}/model.txt",
        "{run}/plots/images.png",
        "{run}/provenance.json",
        "{run}/summary.md",
        code=code("crate"),
        dataset="data/dataset.json",
    output:
        "{run}/crate.zip",
    log:
        "logs/{run}/pack.log",
    params:
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Pack the run as an RO-Crate"
    shell:
        "DAWN_LOG={log:q} python -m dawn.crate --root {params.root:q} --results {wildcards.run:q} --data data --out {output:q}"
