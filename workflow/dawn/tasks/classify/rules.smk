"""What only classifiers have: learning rates, times, a race, DAWNBench's files, a model card."""

CLASSIFIER = registry.task("classify")


rule dawnbench:
    input:
        code=code("dawnbench"),
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
    output:
        "{run}/seed-{seed}/dawnbench.json",
        "{run}/seed-{seed}/dawnbench.tsv",
    log:
        "logs/{run}/dawnbench-{seed}.log",
    wildcard_constraints:
        run=CLASSIFIERS,
    localrule: True
    params:
        cause=cause("submission"),
    message:
        "Export seed {wildcards.seed} in DAWNBench's format"
    shell:
        "DAWN_LOG={log:q} python -m dawn.dawnbench --params {wildcards.run:q}/params.yaml"
        " --seed {wildcards.run:q}/seed-{wildcards.seed:q}"


rule lr_find:
    input:
        ARRAYS,
        code=code("lr_find", "launch"),
        stats="data/stats.json",
    output:
        "{run}/lr_find.tsv",
        "{run}/lr_find.json",
        plot=shown("lr_find.png", CLASSIFIER, "lr_find", "2 Training", "learning-rate range test"),
    log:
        "logs/{run}/lr_find.log",
    wildcard_constraints:
        run=CLASSIFIERS,
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        runtime=60,
        mem_mb=16000,
    params:
        cause=cause("data", "model", "train", "lr_find", "seeds"),
    message:
        "Run the learning-rate range test"
    shell:
        "DAWN_LOG={log:q} python -m dawn.launch --processes 1 dawn.lr_find --params {wildcards.run:q}/params.yaml"
        " --data data --stats {input.stats:q} --out {output.plot:q}"


rule contact_sheet:
    input:
        ARRAYS,
        code=code("contact_sheet"),
        stats="data/stats.json",
    output:
        shown("plots/images.png", CLASSIFIER, "images", "4 Images", "training images"),
    log:
        "logs/{run}/contact_sheet.log",
    wildcard_constraints:
        run=CLASSIFIERS,
    localrule: True
    params:
        cause=cause("train", "seeds"),
    message:
        "Draw training images before and after augmentation"
    shell:
        "DAWN_LOG={log:q} python -m dawn.contact_sheet --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q}"
        " --out {output:q}"


rule timing:
    input:
        ARRAYS,
        code=code("timing"),
        stats="data/stats.json",
    output:
        "{run}/timing.tsv",
        times="{run}/timing.json",
        plot=shown("timing.png", CLASSIFIER, "timing", "Speed", "times of a step"),
    log:
        "logs/{run}/timing.log",
    wildcard_constraints:
        run=CLASSIFIERS,
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        runtime=60,
        mem_mb=16000,
    params:
        cause=cause("data", "model", "train", "timing"),
    message:
        "Time forward passes and training steps of {wildcards.run}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.timing --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q}"
        " --out {output.times:q}"


rule race_seeds:
    input:
        ARRAYS,
        code=code("race", "launch"),
        dataset="data/dataset.json",
        stats="data/stats.json",
    output:
        figures="{run}/race.json",
        rows="{run}/race-measurement.json",
        text="{run}/race.md",
    log:
        "logs/{run}/race.log",
    wildcard_constraints:
        run=CLASSIFIERS,
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
        cause=cause("data", "model", "train", "evaluate", "seeds"),
    message:
        "Race: train and evaluate every seed in one process"
    shell:
        "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} --nodes {resources.nodes:q}"
        " --gpus {resources.node_gpus:q} --cpus {threads:q} dawn.race"
        " --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q} --out {output.figures:q}"
        " --text {output.text:q} --measurement {output.rows:q}"


rule card:
    input:
        of_seeds("metrics.json", "evaluation.json", "confusion.csv"),
        code=code("model_card"),
        metrics="{run}/metrics.json",
        provenance="{run}/provenance.json",
    output:
        "{run}/model-card.md",
    log:
        "logs/{run}/model_card.log",
    wildcard_constraints:
        run=CLASSIFIERS,
    localrule: True
    params:
        cause=cause("data", "model", "train", "evaluate", "seeds"),
        seeds=lambda wildcards: seeds(wildcards.run),
    message:
        "Write the model card"
    shell:
        "DAWN_LOG={log:q} python -m dawn.model_card {params.seeds:q} --params {wildcards.run:q}/params.yaml"
        " --metrics {input.metrics:q} --provenance {input.provenance:q} --out {output:q}"
