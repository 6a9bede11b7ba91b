"""A published result checked here: snakemake reproduce --config crate=FILE (docs/reproduce.md)."""


def reproduced():
    """What is reproduced, and the options of the command; a path starts where snakemake was called."""
    if len({"crate", "published"} & CHOSEN.keys()) != 1:
        raise WorkflowError(
            "name one published result with --config crate=FILE, or published=FILE for a row of a table"
        )
    named = {"margin": "--margin", "new_seeds": "--seeds"}
    options = [word for key in named if key in CHOSEN for word in (named[key], CHOSEN[key])]
    if "published" in CHOSEN:
        return ["--published", here("published"), *options]
    return [CHOSEN["crate"] if is_remote(CHOSEN["crate"]) else here("crate"), *options]


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
