"""A published result checked here: snakemake reproduce --config crate=FILE (docs/reproduce.md)."""


# It trains in a directory of its own, where it continues what it has begun, so it has neither inputs nor outputs.
rule reproduce:
    log:
        "logs/reproduce.log",
    localrule: True
    threads: workflow.cores or 1
    params:
        options=lambda wildcards: reproduced(),
        root=lambda wildcards: os.path.relpath(ROOT),
    message:
        "Reproduce a published result"
    shell:
        "DAWN_LOG={log:q} python -m dawn.reproduce {params.options:q} --root {params.root:q}"
