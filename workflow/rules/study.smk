"""Studies: their variants run by the rules of a single experiment, then a table; and the comparison of two results."""

from dawn.studies import cost

if STUDY and workflow.is_main_process:
    print(cost.told(STUDY, cost.estimate(STUDY, Path("data"))), file=sys.stderr)


# On a cluster these run where snakemake was started: they are short, and compare prints to the terminal.
localrules:
    compare,
    study,
    study_timing,


rule timing:
    input:
        ARRAYS,
        code=code("timing", "launch"),
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
        "Time forward passes and training steps of {wildcards.run}"
    shell:
        "DAWN_LOG={log} python -m dawn.launch --processes 1 dawn.timing --params {wildcards.run}/params.yaml"
        " --data data --stats {input.stats} --out {output.times}"


rule study_timing:
    input:
        lambda wildcards: of_variants("timing.json"),


if STUDY:

    rule study_table:
        input:
            of_variants("metrics.json", "timing.json", "model.json"),
            [f"{seed}/{file}" for run in RUNS for seed in seeds(run) for file in ("evaluation.json", "metrics.json")],
            code=code("study"),
        output:
            f"{STUDY.directory}/table.csv",
            f"{STUDY.directory}/table.md",
            report(f"{STUDY.directory}/page.html", caption="../report/study-page.rst", category="Studies"),
            report(f"{STUDY.directory}/plots/accuracy.png", caption="../report/study-accuracy.rst", category="Studies"),
            report(f"{STUDY.directory}/plots/price.png", caption="../report/study-price.rst", category="Studies"),
        log:
            f"logs/{STUDY.directory}/study.log",
        localrule: True
        params:
            cause=STUDY.text,
            study=lambda wildcards, output: os.path.dirname(output[0]),
        message:
            "Compare the variants of {params.study}"
        shell:
            "DAWN_LOG={log} python -m dawn.study {params.study}"


rule study:
    input:
        lambda wildcards: [*of_variants(), f"{STUDY.directory}/table.csv"],


# It compares finished results and writes no file, so it has neither inputs nor outputs.
rule compare:
    log:
        "logs/compare.log",
    params:
        base=CHOSEN.get("base", ""),
        other=CHOSEN.get("other", ""),
    message:
        "Compare {params.other} with {params.base}"
    shell:
        "DAWN_LOG={log} python -m dawn.compare {params.base:q} {params.other:q}"
