"""Targets that name no file: figures, the crate, the model card, the race, a page to try a network."""


def of_classifiers(target):
    """Refuse a target that only classifiers have, before any job."""
    if TASK.name != "classify":
        raise WorkflowError(f"{target} is for task: classify, and this experiment has task: {TASK.name}")


def in_runs(target, *files, classifiers=False):
    """An input function: these files of every experiment."""

    def paths(wildcards):
        if classifiers:
            of_classifiers(target)
        return [f"{run}/{file}" for run in RUNS for file in files]

    return paths


FIGURES = [f"plots/{name}.png" for name in (*(figure.name for figure in TASK.figures), *TASK.other_figures)]
RESULTS = ("metrics.json", "model.txt", "summary.md")
TARGETS = {
    "plots": in_runs("plots", *RESULTS, *FIGURES),
    "crate": in_runs("crate", "crate.zip"),
    "model_card": in_runs("model_card", "model-card.md", classifiers=True),
    "race": in_runs("race", "race.md", classifiers=True),
}


for TARGET, FILES in TARGETS.items():

    rule:
        name:
            TARGET
        input:
            FILES,
        localrule: True


# Runs on this machine until it is interrupted, in the host's Python, without a container: the image has no web server.
# It writes no result, so it always runs.
rule app:
    input:
        lambda wildcards: of_classifiers("app") or [],
        lambda wildcards: [f"{seed}/model.safetensors" for seed in seeds(next(iter(RUNS)))],
        dataset="data/dataset.json",
    log:
        "logs/app.log",
    localrule: True
    params:
        seeds=lambda wildcards: seeds(next(iter(RUNS))),
        network=lambda wildcards: (
            ["--network", str(EXPERIMENT.model.file)] if EXPERIMENT.model.family == "file" else []
        ),
    message:
        "Serve a page to try the network"
    shell:
        "DAWN_LOG={log:q} python -m dawn.serve --model {params.seeds:q} --data data {params.network:q}"
