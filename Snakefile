"""CIFAR-10 from its archive to a trained, evaluated network. Every choice is in params.yaml."""


report: "workflow/report/workflow.rst"


include: "workflow/rules/common.smk"
include: "workflow/rules/site.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/study.smk"
include: "workflow/rules/race.smk"
include: "workflow/rules/use.smk"


rule all:
    default_target: True
    input:
        f"{HOME_RUN}/table.csv" if PLAN else [],
        expand("{run}/{file}", run=RUNS, file=["metrics.json", "model.txt", "summary.md"]),
        expand("{seed}/dawnbench.json", seed=[seed for run in RUNS for seed in seeds(run)]),


rule plots:
    input:
        rules.all.input,
        expand("{run}/plots/{figure}.png", run=RUNS, figure=["curves", "images"]),


rule crate:
    input:
        expand("{run}/crate.zip", run=RUNS),


# The experiment that the steps read. No rule writes it: a rule's output would make every setting a cause of every
# step, and Snakemake's ancient() hides the real causes. Each rule names its own sections instead.
onstart:
    from dawn.core.files import write_text

    for run, experiment in {} if "base" in ASIDE else {HOME_RUN: EXPERIMENT, **RUNS}.items():
        write_text(Path(run, "params.yaml"), dump(experiment))
    if PLAN:
        write_text(Path(HOME_RUN, "study.json"), PLAN.text)
    enter_stage()


onsuccess:
    leave_stage()
    summary = Path(HOME_RUN, "table.md" if PLAN else "summary.md")
    if summary.exists() and STAGE in (None, "summarize") and "base" not in ASIDE:
        print(f"\n{summary.resolve()}:\n\n{summary.read_text()}", file=sys.stderr)
