"""What the rules read: functions of the wildcards of a job."""

if SEARCH:
    from dawn.searches import trials

# What the rules of a task add to the evaluation of a seed: inputs, and functions that return options of the command.
EVALUATION_INPUTS, EVALUATION_OPTIONS = [], []
JUDGE_FILES = []
if JUDGES:
    JUDGE_FILES = [f"{seed}/{file}" for seed in seeds(JUDGE) for file in ("model.safetensors", "evaluation.json")]
    JUDGE_FILES += [f"{JUDGE}/manifests/{seed}.json" for seed in JUDGES.seeds]


def reads(experiment):
    """The files of data/ that an evaluation reads."""
    task = experiment.declared
    return dict.fromkeys([*task.data(experiment), *task.evaluation_data(experiment)])


def evaluation_options(wildcards):
    """The options of dawn.evaluate for an experiment: what it is measured by."""
    experiment = EXPERIMENTS[wildcards.run]
    options = ["--stats", "data/stats.json"] if "stats.json" in reads(experiment) else []
    if experiment.has_judges:
        options += ["--judges", *seeds(JUDGE)]
    return options + [word for option in EVALUATION_OPTIONS if wildcards.run in RUNS for word in option(wildcards)]


def of_classifiers(target, experiment=EXPERIMENT):
    """Refuse a target that only classifiers have, before any job."""
    if experiment.task != "classify":
        raise WorkflowError(f"{target} is for task: classify, and this experiment has task: {experiment.task}")


def in_runs(target, *files, classifiers=False):
    """An input function: these files of every experiment."""

    def paths(wildcards):
        if classifiers:
            of_classifiers(target)
        return [f"{run}/{file}" for run in RUNS for file in files]

    return paths


def app_options():
    """The options of dawn.serve: the networks of the finished experiment, and the file of one that is the user's code."""
    run = Path(next(iter(RUNS)))
    weights = [str(path.parent) for path in sorted(run.glob("seed-*/model.safetensors"))]
    with in_one_line():
        made = load(run / "params.yaml")
    of_classifiers("app", made)
    return ["--model", *weights, *(["--network", str(made.model.file)] if made.model.family == "file" else [])]


def remedy(target):
    """What to run where a target has nothing to use: the end of a message."""
    chosen = [f"{key}={CHOSEN[key]}" for key in ("study", "search") if key in CHOSEN]
    directory = str(ORIGIN) if workflow.overwrite_workdir else ""
    files = [str(path) if directory else os.path.relpath(path, ORIGIN) for path in CONFIGFILES]
    train = place.command("study" if STUDY else "search" if SEARCH else "", NAME, files, chosen, directory)
    there = sorted(path.parts[-3] for path in ORIGIN.glob(f"{place.folder('*')}/results/metrics.json"))
    others = [place.command(target, name) for name in there if name != NAME]
    if NAME and (ORIGIN / "results/metrics.json").is_file():
        others.insert(0, place.command(target, ""))
    return f"; train one: {train}" + (f"; or use another: {', or '.join(others)}" if others else "")


def everything(wildcards):
    """The results of all experiments, which Snakemake makes where no target is named."""
    found = [f"{STUDY.directory}/table.csv"] if STUDY else [f"{SEARCH.directory}/page.md"] if SEARCH else []
    found += [f"{run}/{file}" for run in RUNS for file in ("metrics.json", "model.txt", "summary.md")]
    return found + [f"{seed}/{file}" for run in RUNS for seed in seeds(run) for file in TASK.exports]


def of_trials(rungs):
    """The results of the trials of these rungs, as soon as they are known."""
    proposed = [checkpoints.propose.get(round=round, rung=rung).output[0] for round, rung in rungs]
    with in_one_line():
        return [trial for path in proposed for trial in trials.results(Path(path))]


def of_rung(rung):
    """What decides the result of each trial of a rung."""
    with in_one_line():
        return trials.causes(Path(SEARCH.directory, f"{rung}.json"))


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
