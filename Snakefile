"""CIFAR-10 from its archive to a trained and evaluated network. Every setting is in params.yaml."""


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/site.smk"
include: "workflow/rules/hooks.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/search.smk"
include: "workflow/rules/race.smk"
include: "workflow/rules/use.smk"
include: "workflow/rules/measurement.smk"


if JUDGES:

    include: "workflow/rules/judges.smk"


if GAN:

    include: "workflow/rules/gan.smk"
    include: "workflow/rules/gan_pages.smk"


if CYCLE:

    include: "workflow/rules/cycle.smk"
    include: "workflow/rules/cycle_pages.smk"


rule all:
    default_target: True
    input:
        f"{STUDY.directory}/table.csv" if STUDY else [],
        f"{SEARCH.directory}/page.md" if SEARCH else [],
        expand("{run}/{file}", run=RUNS, file=["metrics.json", "model.txt", "summary.md"]),
        lambda wildcards: [f"{seed}/dawnbench.json" for run in RUNS for seed in seeds(run) if CLASSIFY],


FIGURES = {"classify": ["curves", "images"], "gan": ["gan-samples"], "cycle": ["cycle-images"]}[EXPERIMENT.task]


rule plots:
    input:
        rules.all.input,
        expand("{run}/plots/{figure}.png", run=RUNS, figure=FIGURES),


rule crate:
    input:
        expand("{run}/crate.zip", run=RUNS),
