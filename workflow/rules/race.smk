"""The race: all seeds trained and evaluated in one process, on one clock (docs/race.md)."""


localrules:
    race,


rule race:
    input:
        "results/race.md",


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
