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
# It writes no result, so it always runs. It uses the networks that are there, whatever params.yaml says, and trains none.
rule app:
    log:
        "logs/app.log",
    localrule: True
    params:
        options=lambda wildcards: app_options(),
    message:
        "Serve a page to try the network"
    shell:
        "DAWN_LOG={log:q} python -m dawn.serve {params.options:q} --data data"
