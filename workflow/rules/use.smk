"""Targets that name no file: figures, the crate, the model card, the race, a page to try a network."""

FIGURES = [f"plots/{name}.png" for name in (*(figure.name for figure in TASK.figures), *TASK.other_figures)]
TARGETS = {
    "plots": [everything, in_runs("plots", *FIGURES)],
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
