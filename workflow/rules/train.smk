"""For each seed of an experiment and of its judges: a training, and an evaluation with its manifest."""

for path in dict.fromkeys([*TASK.rules, *(JUDGES.declared.rules if JUDGES else ())]):

    include: f"../dawn/tasks/{path}"


for GROUP, (GROUP_TASK, GROUP_RUNS) in GROUPS.items():
    FIRST = next(iter(GROUP_RUNS.values()), EXPERIMENT)
    WHAT = "a judge" if GROUP else GROUP_TASK.title

    rule:
        name:
            f"train{GROUP}"
        input:
            [f"data/{name}" for name in GROUP_TASK.data(FIRST)],
            code=code("train", "launch"),
        output:
            [f"{{run}}/seed-{{seed}}/{name}" for name in GROUP_TASK.training_files],
            metrics="{run}/seed-{seed}/metrics.json",
        log:
            "logs/{run}/train-{seed}.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
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
            cause=cause(*GROUP_TASK.trained_by),
            stats=["--stats", "data/stats.json"] if "stats.json" in GROUP_TASK.data(FIRST) else [],
        message:
            f"Train {WHAT} with seed {{wildcards.seed}}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} --nodes {resources.nodes:q}"
            " --gpus {resources.node_gpus:q} --cpus {threads:q} dawn.train"
            " --params {wildcards.run:q}/params.yaml --data data {params.stats:q} --seed {wildcards.seed:q}"
            " --out {wildcards.run:q}/seed-{wildcards.seed:q}"

    rule:
        name:
            f"evaluate{GROUP}"
        input:
            [f"data/{name}" for name in reads(FIRST)],
            [f"{{run}}/seed-{{seed}}/{name}" for name in GROUP_TASK.training_files],
            *(EVALUATION_INPUTS if not GROUP else []),
            code=code("evaluate", "launch"),
            judges=JUDGE_FILES if FIRST.has_judges else [],
            metrics="{run}/seed-{seed}/metrics.json",
        output:
            [f"{{run}}/seed-{{seed}}/{name}" for name in ("evaluation.json", *GROUP_TASK.evaluation_files)],
            manifest="{run}/manifests/{seed}.json",
        log:
            "logs/{run}/evaluate-{seed}.log",
        wildcard_constraints:
            run=runs(GROUP_RUNS),
        threads: workflow.cores or 1
        resources:
            **ONE_NODE,
            processes=EXPERIMENT.run.processes if GROUP_TASK.parallel_evaluation else 1,
            runtime=120 if FIRST.has_judges else 60,
            mem_mb=16000,
        params:
            cause=lambda wildcards: EXPERIMENTS[wildcards.run].text(*EXPERIMENTS[wildcards.run].evaluated_by),
            options=evaluation_options,
        message:
            f"Evaluate {WHAT}, seed {{wildcards.seed}}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} dawn.evaluate"
            " --params {wildcards.run:q}/params.yaml --data data {params.options:q}"
            " --model {wildcards.run:q}/seed-{wildcards.seed:q}/model.safetensors"
            " --out {wildcards.run:q}/seed-{wildcards.seed:q} --manifest {output.manifest:q}"
