"""CIFAR-10 from its archive to a trained, evaluated network. Every choice is in params.yaml."""


include: "workflow/rules/common.smk"
include: "workflow/rules/site.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"


rule all:
    default_target: True
    input:
        "results/metrics.json",
        "results/model.txt",
        "results/provenance.json",
        expand("{seed}/dawnbench.json", seed=seeds("results")),


# The experiment that the steps read. No rule writes it: a rule's output would make every setting a cause of every
# step, and Snakemake's ancient() hides the real causes. Each rule names its own sections instead.
onstart:
    from dawn.files import write_text

    for run, experiment in RUNS.items():
        write_text(Path(run, "params.yaml"), dump(experiment))
    enter_stage()


onsuccess:
    leave_stage()
    summary = Path("results/summary.md")
    if summary.exists() and STAGE in (None, "summarize"):
        print(f"\n{summary.resolve()}:\n\n{summary.read_text()}", file=sys.stderr)
