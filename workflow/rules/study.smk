"""Studies: their variants run by the rules of a single experiment, then a table; and the comparison of two results."""

if STUDY and workflow.is_main_process:
    from dawn.studies.planning import outlook

    print(outlook(STUDY, Path("data")), file=sys.stderr)


# On a cluster these run where snakemake was started: they are short, and compare prints to the terminal.
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
        "Time forward passes and training steps of {wildcards.run}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.timing --params {wildcards.run:q}/params.yaml --data data --stats {input.stats:q}"
        " --out {output.times:q}"


rule study_timing:
    input:
        lambda wildcards: of_variants("timing.json"),


if STUDY:

    # The number of seeds after an interim analysis is known when it is done, so each is a checkpoint.
    checkpoint interim:
        input:
            lambda wildcards: of_analysis(int(wildcards.analysis)),
            code=code("interim"),
        output:
            f"{STUDY.directory}/analyses/{{analysis}}.json",
        log:
            f"logs/{STUDY.directory}/analysis-{{analysis}}.log",
        localrule: True
        params:
            cause=lambda wildcards: STUDY.text,
            study=lambda wildcards: STUDY.directory,
        message:
            "Analyse the study, analysis {wildcards.analysis}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.interim {params.study:q} --analysis {wildcards.analysis:q} --out {output:q}"

    # Differences by class are of the test split.
    CLASSES = ("classes",) if CLASSIFY and STUDY.study.split == "test" else ()

    rule study_table:
        input:
            of_variants("metrics.json", "model.json", "provenance.json"),
            of_variants("timing.json") if CLASSIFY else [],
            lambda wildcards: of_analysis(len(STUDY.counts)),
            code=code("study"),
        output:
            [f"{STUDY.directory}/{file}" for file in ("table.csv", "table.md", "table.tex", "provenance.json")],
            [f"{STUDY.directory}/{file}" for file in ("comparisons.csv", "seeds.csv")],
            report(f"{STUDY.directory}/page.html", caption="../report/study-page.rst", category="Studies"),
            [
                report(
                    f"{STUDY.directory}/plots/{name}.png", caption=f"../report/study-{name}.rst", category="Studies"
                )
                for name in ("differences", "values", "price", "curves", *CLASSES)
            ],
        log:
            f"logs/{STUDY.directory}/study.log",
        localrule: True
        params:
            cause=lambda wildcards: STUDY.text,
            study=lambda wildcards: STUDY.directory,
        message:
            "Compare the variants of {params.study}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.study {params.study:q}"


rule study:
    input:
        lambda wildcards: [*of_variants(), f"{STUDY.directory}/table.csv"],


# It compares finished results and writes no file, so it has neither inputs nor outputs.
rule compare:
    log:
        "logs/compare.log",
    params:
        base=lambda wildcards: CHOSEN.get("base", ""),
        other=lambda wildcards: CHOSEN.get("other", ""),
        difference=lambda wildcards: ["--difference", CHOSEN["difference"]] if "difference" in CHOSEN else [],
    message:
        "Compare {params.other} with {params.base}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.compare {params.base:q} {params.other:q} {params.difference:q}"
