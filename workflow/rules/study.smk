"""Studies: their variants run by the rules of a single experiment, then a table; and the comparison of two results."""

if STUDY and workflow.is_main_process:
    from dawn.studies.planning import outlook

    with in_one_line():
        print(outlook(STUDY, Path("data")), file=sys.stderr)


# On a cluster these run where snakemake was started: they are short, and compare prints to the terminal.
localrules:
    compare,
    study,
    study_timing,


rule study_timing:
    input:
        lambda wildcards: of_classifiers("study_timing") or of_variants("timing.json"),


if STUDY:

    # The number of seeds after an interim analysis is known when it is done, so each is a checkpoint.
    checkpoint interim:
        input:
            lambda wildcards: of_analysis(int(wildcards.analysis)),
            code=code_for(EXPERIMENT, "interim"),
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
    CLASSES = ("classes",) if TASK.name == "classify" and STUDY.study.split == "test" else ()

    rule study_table:
        input:
            of_variants("metrics.json", "model.json", "provenance.json"),
            of_variants("timing.json") if "timing" in TASK.sections else [],
            lambda wildcards: of_analysis(len(STUDY.counts)),
            code=code_for(EXPERIMENT, "study"),
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

    rule study_measurement:
        input:
            of_variants("provenance.json"),
            code=code_for(EXPERIMENT, "measurement"),
            table=f"{STUDY.directory}/table.csv",
        output:
            f"{STUDY.directory}/measurement.json",
        log:
            f"logs/{STUDY.directory}/measurement.log",
        localrule: True
        params:
            study=lambda wildcards: STUDY.directory,
        message:
            "Gather the rows of {params.study}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.measurement {params.study:q} --measurement {output:q}"


rule study:
    input:
        lambda wildcards: [*of_variants(), f"{STUDY.directory}/table.csv"],


# It compares finished results and writes no file, so it has neither inputs nor outputs.
rule compare:
    log:
        "logs/compare.log",
    params:
        base=lambda wildcards: here("base"),
        other=lambda wildcards: here("other"),
        difference=lambda wildcards: ["--difference", CHOSEN["difference"]] if "difference" in CHOSEN else [],
    message:
        "Compare {params.other} with {params.base}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.compare {params.base:q} {params.other:q} {params.difference:q}"
