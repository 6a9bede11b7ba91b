"""The network, and a training for each seed."""


rule model:
    input:
        code=code("model"),
        dataset="data/dataset.json",
    output:
        figures="results/model.json",
        text="results/model.txt",
    log:
        "logs/model.log",
    params:
        cause=EXPERIMENT.text("model", "seeds"),
    message:
        "Describe the network"
    shell:
        "DAWN_LOG={log} python -m dawn.model --params results/params.yaml --data data"
        " --out {output.figures} --text {output.text}"


rule train:
    input:
        ARRAYS,
        code=code("train", "launch"),
        dataset="data/dataset.json",
        stats="data/stats.json",
    output:
        **({"trace": "results/seed-{seed}/trace.tsv"} if EXPERIMENT.run.trace else {}),
        weights="results/seed-{seed}/model.safetensors",
        curve="results/seed-{seed}/curve.tsv",
        metrics="results/seed-{seed}/metrics.json",
    log:
        "logs/train-{seed}.log",
    threads: workflow.cores or 1
    resources:
        processes=EXPERIMENT.run.processes,
    params:
        cause=EXPERIMENT.text("data", "model", "train"),
    message:
        "Train with seed {wildcards.seed}"
    shell:
        "DAWN_LOG={log} python -m dawn.launch --processes {resources.processes} dawn.train"
        " --params results/params.yaml --data data --stats {input.stats} --seed {wildcards.seed}"
        " --out results/seed-{wildcards.seed}"


rule dawnbench:
    input:
        code=code("dawnbench"),
        curve="results/seed-{seed}/curve.tsv",
        metrics="results/seed-{seed}/metrics.json",
    output:
        "results/seed-{seed}/dawnbench.json",
        "results/seed-{seed}/dawnbench.tsv",
    log:
        "logs/dawnbench-{seed}.log",
    params:
        cause=EXPERIMENT.text("submission"),
    message:
        "Export seed {wildcards.seed} as DAWNBench took its entries"
    shell:
        "DAWN_LOG={log} python -m dawn.dawnbench --params results/params.yaml --seed results/seed-{wildcards.seed}"


rule lr_find:
    input:
        ARRAYS,
        code=code("lr_find"),
        stats="data/stats.json",
    output:
        "results/lr_find.tsv",
        "results/lr_find.json",
        plot="results/lr_find.png",
    log:
        "logs/lr_find.log",
    threads: workflow.cores or 1
    params:
        cause=EXPERIMENT.text("data", "model", "train", "lr_find", "seeds"),
    message:
        "Sweep the learning rate"
    shell:
        "DAWN_LOG={log} python -m dawn.lr_find --params results/params.yaml --data data --stats {input.stats}"
        " --out {output.plot}"
