"""The raw rows of a finished experiment or study as data (docs/measurements, CONTRIBUTING.md)."""


localrules:
    measurement,


rule measurement:
    input:
        of_seeds("metrics.json"),
        manifests,
        code=code("measurement"),
        provenance="{run}/provenance.json",
    output:
        "{run}/measurement.json",
    log:
        "logs/{run}/measurement.log",
    params:
        cause=lambda wildcards: EXPERIMENTS[wildcards.run].text("seeds"),
    message:
        "Gather the rows of {wildcards.run}"
    shell:
        "DAWN_LOG={log:q} python -m dawn.measurement {wildcards.run:q} --measurement {output:q}"


if STUDY:

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
