"""The experiments of this run of Snakemake, and what the rules have in common."""

import os
import re
import shlex
import sys
import tempfile
from contextlib import contextmanager
from functools import cache
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
if not (ROOT / "workflow/dawn").is_dir():
    raise WorkflowError("this workflow cannot be a module of another: clone it and run it there (config/README.md)")
sys.path.insert(0, str(ROOT / "workflow"))

from dawn.core.cli import InputError, describe
from dawn.core.reading import read_json
from dawn.core import code_deps
from dawn.config import registry
from dawn.config.experiment import check, dump, expanded, load, merge, read
from dawn.config.presets import judges
from dawn.config import place
from dawn.config.plan import find, plan
from dawn.config.plan_records import Interim
from dawn.config import search
from dawn.config.published import publishable
from dawn.core.secrets import hide, redacted

# The steps run in this Python and from this checkout, wherever the working directory is.
for variable, first in (
    ("PATH", Path(sys.executable).parent),
    ("PYTHONPATH", ROOT / "workflow"),
):
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))

# Snakemake sets OMP_NUM_THREADS of a job to its threads. dawn.launch finds here what the user has set.
os.environ.setdefault("DAWN_THREADS", os.environ.get("OMP_NUM_THREADS") or "auto")

# `config` is what --configfile and --config give. These keys name the experiment, choose a study, a search, two results
# to compare or one to reproduce, or allow to replace results; all others are settings, which are merged over params.yaml.
KEYS = (
    "name",
    "study",
    "search",
    "base",
    "other",
    "difference",
    "crate",
    "published",
    "margin",
    "new_seeds",
    "replace",
)
CHOSEN = {key: str(config[key]) for key in KEYS if key in config}
SETTINGS = {key: value for key, value in config.items() if key not in CHOSEN}


include: "place.smk"


# Rules that were renamed, by what they were called.
RENAMED = {f"{task}_{rule}": rule for task in ("gan", "cycle") for rule in
           ("train", "evaluate", "model", "summarize", "summary", "plot", "pack")}  # fmt: skip
RENAMED |= {"gan_references": "references", "gan_cas": "cas"}
if asked := [name for name in sys.argv if name in RENAMED]:
    raise WorkflowError(f"the rule {asked[0]} is now called {RENAMED[asked[0]]}, for every task; use that name")

STUDIES, SEARCHES, PRESETS = (ROOT / "workflow" / name for name in ("studies", "searches", "presets"))
if {"study", "search"} <= CHOSEN.keys():
    raise WorkflowError(f"study = {CHOSEN['study']} and search = {CHOSEN['search']}: name one of them")
try:
    SETTINGS = expanded(SETTINGS)  # train.epochs: 3 in a file is as good as train: {epochs: 3}
    for file in workflow.configfiles:  # Snakemake has read them and, of a key given twice, has taken the last
        read(Path(file))
    STUDY = plan(find(CHOSEN["study"], STUDIES), ROOT / "params.yaml", PRESETS, SETTINGS) if "study" in CHOSEN else None
    SEARCH = None
    if "search" in CHOSEN:
        SEARCH_FILE = find(CHOSEN["search"], SEARCHES, "search", "searches")
        SEARCH = search.plan(SEARCH_FILE, ROOT / "params.yaml", PRESETS, SETTINGS)
        EXPERIMENT = SEARCH.base
    else:
        EXPERIMENT = STUDY.shared if STUDY else check(merge(read(ROOT / "params.yaml"), SETTINGS))
except InputError as error:
    raise WorkflowError(describe(error)) from None

# The settings have the addresses of the data without secrets (dawn/core/secrets.py), and so has each file. A job that opens
# one finds it in the environment. A measurement names the command that the user typed; jobs inherit it.
os.environ.update(EXPERIMENT.data.passed())
if workflow.is_main_process:
    os.environ.update(DAWN_COMMAND=shlex.join(hide(word, EXPERIMENT.data.sources) for word in sys.argv))

# What follows is relative to the directory of the experiment.
if NAME and (not USES or PLACE.is_dir()):

    workdir: PLACE


with in_one_line():
    EXPERIMENT, UNFINISHED = used(EXPERIMENT)
    TASK = EXPERIMENT.declared
    JUDGES = judges(EXPERIMENT, ROOT / "params.yaml", PRESETS) if EXPERIMENT.has_judges else None

ADDRESSES = EXPERIMENT.data.sources

# What snakemake --report shows of the files of settings.
CONFIGFILES = [Path(path) for path in workflow.configfiles]
if workflow.is_main_process:
    REPORTED = tempfile.TemporaryDirectory(prefix="dawn-")
    workflow.configfiles[:] = [
        os.path.relpath(file) if file.is_relative_to(ORIGIN) else file
        for file in (publishable(path, Path(REPORTED.name, str(i))) for i, path in enumerate(CONFIGFILES))
    ]


include: "dvc.smk"


if STAGE:
    check_stage()

# A stage of DVC depends on the directory below; it would not see an edit to a file elsewhere.
NETWORKS = ROOT / "workflow/networks"
if STAGE and EXPERIMENT.model.family == "file" and NETWORKS not in EXPERIMENT.model.file.resolve().parents:
    raise WorkflowError(
        f"model.path = {EXPERIMENT.model.path}: DVC tracks only workflow/networks/; move the file there"
    )

# Each experiment by the directory of its results, which is the wildcard `run` of the rules: `results` for params.yaml,
# and a directory for each variant of a study; the trials of a search have rules of their own. SHARED holds the
# params.yaml that the rules of the data read.
SHARED = (STUDY or SEARCH).directory if STUDY or SEARCH else "results"
RUNS = {f"{SHARED}/{slug}": v.experiment for slug, v in STUDY.variants.items()} if STUDY else {}
if not STUDY and not SEARCH:
    RUNS = {"results": EXPERIMENT}

# The judges are one experiment for all variants of a study. The rules of a seed have one text for the experiment and for
# its judges: GROUPS has their runs, by what the names of the rules end with.
JUDGE = f"{SHARED}/judge"
EXPERIMENTS = {**RUNS, JUDGE: JUDGES} if JUDGES else RUNS
GROUPS = {"": (TASK, RUNS), **({"_judge": (JUDGES.declared, {JUDGE: JUDGES})} if JUDGES else {})}


def runs(experiments):
    """The values of the wildcard `run` that are these experiments; timing and others are for finished runs too."""
    named = "|".join(map(re.escape, experiments)) or "(?!)"
    return named if JUDGES else rf"{named}|results(/studies/[^/]+/[^/]+)?"


CLASSIFIERS = runs({run: experiment for run, experiment in EXPERIMENTS.items() if experiment.task == "classify"})


def closure(*modules):
    """The files of modules of the package, and of all that they import: an edit is a reason to run them again."""
    return [os.path.relpath(path) for path in code_deps.closure(*modules)]


def code(*commands):
    """An input function: the files that decide what commands do for the experiment `run`."""
    return lambda wildcards: code_for(EXPERIMENTS.get(wildcards.run, EXPERIMENT), *commands)


def code_for(experiment, *commands):
    """The files that decide what commands do for an experiment; its judges' network is one of them."""
    chosen = [module for each in (experiment, JUDGES) if each for module in each.declared.modules(each)]
    return paths_of_code(commands, experiment.task, tuple(chosen))


@cache
def paths_of_code(commands, task, chosen):
    """The same, computed once for all jobs."""
    return [os.path.relpath(path) for path in code_deps.code(commands, task, chosen)]


def cause(*sections):
    """The sections of the experiment that decide a rule's result, for its params: a change is a reason to run again."""
    return lambda wildcards: EXPERIMENTS[wildcards.run].text(*sections)


def seeds(run, analyses=None):
    """The directories of an experiment's seeds; those of a study with interim analyses after so many of them (all)."""
    numbers = EXPERIMENTS[run].seeds
    if STUDY and len(STUDY.counts) > 1 and run in RUNS:
        numbers = numbers[: seed_counts(len(STUDY.counts) - 1 if analyses is None else analyses)[Path(run).name]]
    return [f"{run}/seed-{seed}" for seed in numbers]


def seed_counts(analyses):
    """The number of seeds that each variant of the study has after so many interim analyses."""
    counts = dict.fromkeys(STUDY.variants, STUDY.counts[0])
    for analysis in range(1, analyses + 1):
        before, done = counts, checkpoints.interim.get(analysis=analysis).output[0]
        with in_one_line():
            counts = read_json(Path(done), Interim)["seeds"]
        if counts.keys() != STUDY.variants.keys():
            raise WorkflowError(f"{WHERE}{done} is not of the variants of this study; delete it to have it made again")
        if counts == before:  # all comparisons are decided
            break
    return counts


def of_analysis(analysis):
    """What an analysis of the study reads, the first is 1."""
    found = [seed for run in RUNS for seed in seeds(run, analysis - 1)]
    return [f"{seed}/{file}" for seed in found for file in ("evaluation.json", "metrics.json", "curve.tsv")]


def of_seeds(*files):
    """An input function: these files of every seed of the experiment."""
    return lambda wildcards: [f"{seed}/{file}" for seed in seeds(wildcards.run) for file in files]


def manifests(wildcards):
    """The manifest of every seed of the experiment."""
    return [f"{wildcards.run}/manifests/{seed.rpartition('-')[2]}.json" for seed in seeds(wildcards.run)]


def named(kind, plan, folder):
    """The plan of the study or search that --config names."""
    if plan is None:
        known = ", ".join(sorted(path.stem for path in folder.glob("*.yaml")))
        raise WorkflowError(f"name a {kind} with --config {kind}=NAME: one of {known}, or a file of your own")
    return plan


def of_variants(*files):
    """These files of every variant of the study."""
    named("study", STUDY, STUDIES)
    return [f"{STUDY.directory}/{slug}/{file}" for slug in STUDY.variants for file in files]


def shown(path, task, caption, category, title):
    """A file of an experiment as an output that the report shows, with a caption where its task has one."""
    text = ROOT / f"workflow/dawn/tasks/{task.name}/captions/{caption}.rst"
    return report(
        f"{{run}}/{path}",
        caption=str(text) if text.is_file() else None,
        category=category,
        labels={"figure": title, "experiment": "{run}"},
    )


wildcard_constraints:
    run=runs(RUNS),
    seed=r"\d+",
