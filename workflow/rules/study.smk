"""A study's variants over its seeds by the rules of a single experiment, then what came out; two results compared."""

from dawn.studies import cost

if PLAN and workflow.is_main_process:
    print(cost.told(PLAN, cost.estimate(PLAN, Path("data"))), file=sys.stderr)


# On a cluster these stay where snakemake was started: they are short, and one speaks to the terminal.
localrules:
    compare,
    study,
    study_timing,


rule timing:
    input:
        ARRAYS,
        code=code("timing"),
        stats="data/stats.json",
    output:
        "{run}/timing.tsv",
        times="{run}/timing.json",
        plot=report("{run}/timing.png", caption="../report/timing.rst", category="Speed", labels={"run": "{run}"}),
    log:
        "logs/{run}/timing.log",
    threads: workflow.cores or 1
    resources:
        **ONE_NODE,
        runtime=60,
        mem_mb=16000,
    params:
        cause=cause("data", "model", "train", "timing"),
    message:
        "Time {wildcards.run}"
    shell:
        "DAWN_LOG={log} python -m dawn.timing --params {wildcards.run}/params.yaml --data data --stats {input.stats}"
        " --out {output.times}"


rule study_timing:
    input:
        lambda wildcards: of_study("timing.json"),


if PLAN:

    rule study_table:
        input:
            of_study("metrics.json", "timing.json", "model.json"),
            [f"{seed}/{file}" for run in RUNS for seed in seeds(run) for file in ("evaluation.json", "metrics.json")],
            code=code("study"),
        output:
            f"{PLAN.directory}/table.csv",
            f"{PLAN.directory}/table.md",
            report(f"{PLAN.directory}/page.html", caption="../report/study-page.rst", category="Studies"),
            report(f"{PLAN.directory}/plots/accuracy.png", caption="../report/study-accuracy.rst", category="Studies"),
            report(f"{PLAN.directory}/plots/price.png", caption="../report/study-price.rst", category="Studies"),
        log:
            f"logs/{PLAN.directory}/study.log",
        localrule: True
        params:
            cause=PLAN.text,
            study=lambda wildcards, output: os.path.dirname(output[0]),
        message:
            "Compare the variants of {params.study}"
        shell:
            "DAWN_LOG={log} python -m dawn.study {params.study}"


rule study:
    input:
        lambda wildcards: [*of_study(), f"{PLAN.directory}/table.csv"],


# It compares what lies there, so it has no inputs and makes no files.
rule compare:
    log:
        "logs/compare.log",
    params:
        base=ASIDE.get("base", ""),
        other=ASIDE.get("other", ""),
    message:
        "Compare {params.other} with {params.base}"
    shell:
        "DAWN_LOG={log} python -m dawn.compare {params.base:q} {params.other:q}"
