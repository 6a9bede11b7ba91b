"""A search: rungs of trials, each a training on the hold-out split, then a page and the study of the winner."""

if SEARCH and workflow.is_main_process:
    print(SEARCH.outlook, file=sys.stderr)


localrules:
    search,


if SEARCH:

    # The trials of a rung are known when those of the rung before are finished, so each is a checkpoint.
    checkpoint propose:
        input:
            lambda wildcards: of_trials(SEARCH.before(int(wildcards.round), int(wildcards.rung))),
            code=closure("searches.rung"),
        output:
            f"{SEARCH.directory}/round-{{round}}/rung-{{rung}}.json",
        log:
            f"logs/{SEARCH.directory}/propose-{{round}}-{{rung}}.log",
        wildcard_constraints:
            round=r"\d+",
            rung=r"\d+",
        localrule: True
        params:
            cause=lambda wildcards: SEARCH.text,
            search=lambda wildcards: SEARCH.directory,
        message:
            "Choose the trials of round {wildcards.round}, rung {wildcards.rung}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.search propose {params.search:q} --round {wildcards.round:q}"
            " --rung {wildcards.rung:q} --out {output:q}"

    # The training of the rule train, without an evaluation on the test split; it may diverge, which is a result here.
    rule trial:
        input:
            [f"data/{split}_{part}.npy" for split in ("train", "holdout") for part in ("images", "labels")],
            code=code_for(EXPERIMENT, "train", "launch") + closure("searches.rung"),
            dataset="data/dataset.json",
            stats="data/stats.json",
        output:
            f"{SEARCH.directory}/{{rung}}/trial-{{trial}}/trial.json",
        log:
            f"logs/{SEARCH.directory}/{{rung}}/trial-{{trial}}.log",
        wildcard_constraints:
            rung=r"round-\d+/rung-\d+",
            trial=r"\d+",
        container:
            None if NODES > 1 else IMAGE
        threads: workflow.cores or 1
        resources:
            **TRAINING,
            node_gpus=GPUS,
            processes=EXPERIMENT.run.processes,
            runtime=720,
            mem_mb=16000,
        params:
            # The rung's file is no input: it is newer than results that are kept. A trial is requested only after it is
            # written, by propose and search_page.
            cause=lambda wildcards: of_rung(wildcards.rung).get(wildcards.trial),
            directory=lambda wildcards, output: os.path.dirname(output[0]),
            seed=SEARCH.search.seed,
        message:
            "Train trial {wildcards.trial} of {wildcards.rung}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.launch --processes {resources.processes:q} --nodes {resources.nodes:q}"
            " --gpus {resources.node_gpus:q} --cpus {threads:q} dawn.train"
            " --params {params.directory:q}/params.yaml --data data --stats {input.stats:q} --seed {params.seed:q}"
            " --out {params.directory:q}/seed-{params.seed:q} && code=0 || code=$?;"
            " DAWN_LOG={log:q} python -m dawn.search trial {params.directory:q} --seed {params.seed:q} --exit-code $code"

    rule search_page:
        input:
            lambda wildcards: of_trials(SEARCH.rungs),
            code=closure("searches.page"),
        output:
            [f"{SEARCH.directory}/{file}" for file in ("page.md", "trials.csv", "optuna.log")],
            f"{SEARCH.directory}/{SEARCH.name}-winner.yaml",
            report(f"{SEARCH.directory}/page.html", caption="../report/search-page.rst", category="Searches"),
            report(f"{SEARCH.directory}/trials.png", caption="../report/search-trials.rst", category="Searches"),
        log:
            f"logs/{SEARCH.directory}/page.log",
        localrule: True
        params:
            cause=lambda wildcards: SEARCH.text,
            search=lambda wildcards: SEARCH.directory,
        message:
            "Write the page of {params.search}"
        shell:
            "DAWN_LOG={log:q} python -m dawn.search page {params.search:q}"


rule search:
    input:
        lambda wildcards: f"{named('search', SEARCH, SEARCHES).directory}/page.md",
