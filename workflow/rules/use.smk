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


# The rules that are there for targets that use finished results: none that trains, evaluates or downloads.
PAGES = [f"{name}{group}" for group in GROUPS for name in ("model", "plot", "provenance", "summarize", "summary")]
PAGES += ["card", "contact_sheet", "interim", "pack", "study_table", *place.USES]

if USES and workflow.is_main_process:
    SERVED = PLACE.is_dir() and any(Path(next(iter(RUNS), "results")).glob("seed-*/model.safetensors"))
    NEED = set(USES) - {"compare", *(["app"] if SERVED else [])}
    IMAGES = [TASK.about] if all(target.endswith(("model_card", ".md")) for target in NEED) else TASK.data(EXPERIMENT)
    if UNFINISHED is None and not all(Path("data", name).is_file() for name in IMAGES):
        UNFINISHED = "the images in data/ are missing"
    for target in sorted(NEED) if UNFINISHED else ():
        if target in ("app", "model_card"):
            of_classifiers(target)
        raise WorkflowError(f"{UNFINISHED}, and {target} makes none{remedy(target)}")
    if not any(re.match("--report(=|$)", word) for word in sys.argv):
        for rule_name in [rule_name for rule_name in workflow._rules if rule_name not in PAGES]:
            del workflow._rules[rule_name]
            workflow._localrules.discard(rule_name)
