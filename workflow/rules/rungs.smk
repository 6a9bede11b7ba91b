"""The trials of a search: which are in a rung, and where their results are."""


def of_rung(round, rung):
    """The results of a rung's trials, once it is known which they are."""
    done = Path(checkpoints.propose.get(round=round, rung=rung).output[0])
    return [f"{done.with_suffix('')}/trial-{proposed}/trial.json" for proposed in proposed_trials(str(done))]


def before_rung(wildcards):
    """The results that a rung is chosen by: those of the rung before, which needs all others."""
    round, rung = int(wildcards.round), int(wildcards.rung)
    if rung:
        return of_rung(round, rung - 1)
    return of_rung(round - 1, len(SEARCH.counts) - 1) if round else []


def proposed_trials(rung):
    """The settings that decide the result of each trial of a rung, as text."""
    return {str(trial["trial"]): trial["cause"] for trial in json.loads(Path(rung).read_text())["trials"]}


def page_of_search():
    """The page of the search."""
    if SEARCH is None:
        known = ", ".join(sorted(path.stem for path in SEARCHES.glob("*.yaml")))
        raise WorkflowError(f"name a search with --config search=NAME: one of {known}, or a file of your own")
    return f"{SEARCH.directory}/page.md"
