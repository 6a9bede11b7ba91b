"""The network of an experiment, and a training for each seed."""


rule model:
    input:
        code=code("model"),
        dataset="data/dataset.json",
    output:
        figures="{run}/model.json",
        text="{run}/model.txt",
    log:
        "logs/{run}/model.log",
    params:
        cause=cause("model", "seeds"),
        size=lambda wildcards: (
            [EXPERIMENT.data.size or 32] + [size for _, size in EXPERIMENTS[wildcards.run].train.sizes]
        )[-1],
    message:
        "Describe the network"
    shell:
        "DAWN_LOG={log:q} python -m dawn.model --params {wildcards.run:q}/params.yaml --data data --size {params.size:q}"
        " --out {output.figures:q} --text {output.text:q}"


rule train:
    input:
        ARRAYS,
        code=code("train", "launch"),
        dataset="data/dataset.json",
        stats="data/stats.json",
    output:
        **({"trace": "{run}/seed-{seed}/trace.tsv"} if EXPERIMENT.run.trace else {}),
        weights="{run}/seed-{seed}/model.safetensors",
        curve="{run}/seed-{seed}/curve.tsv",
        metrics="{run}/seed-{seed}/metrics.json",
    log:
        "logs/{run}/train-{seed}.log",
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
        cause=cause("data", "model", "train"),
    message:
        "Train with seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} --nodes {resources.nodes:q}"
        " --gpus {resources.node_gpus:q} --cpus {threads:q} dawn.train"
        " --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q} --seed {wildcards.seed:q}"
        " --out {wildcards.run:q}/seed-{wildcards.seed:q}"


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
        plot=report(
            "{run}/lr_find.png",
            caption="../report/lr_find.rst",
            category="2 Training",
            labels={"figure": "learning-rate range test", "experiment": "{run}"},
        ),
    log:
        "logs/{run}/lr_find.log",
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
