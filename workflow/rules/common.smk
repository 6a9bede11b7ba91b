"""Where the steps run, what is asked of them, and which code they are."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow"))

from dawn.core.cli import InputError
from dawn.core.code_deps import closure
from dawn.config.experiment import check, dump, merge, read
from dawn.config.plan import find, plan

# The steps run in this Python and from this checkout, wherever the working directory is.
for variable, first in (
    ("PATH", Path(sys.executable).parent),
    ("PYTHONPATH", ROOT / "workflow"),
):
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))


# Before the experiment is checked, since a stage of a faulty one must not leave the metrics of another.
include: "dvc.smk"


# `config` holds what --configfile and --config say: a preset, then single settings, laid over params.yaml; and, aside
# from the experiment, which study to carry out or which results to compare.
ASIDE = {key: str(config[key]) for key in ("study", "base", "other") if key in config}
SETTINGS = {key: value for key, value in config.items() if key not in ASIDE}
STUDIES, PRESETS = ROOT / "workflow/studies", ROOT / "workflow/presets"
try:
    PLAN = plan(find(ASIDE["study"], STUDIES), ROOT / "params.yaml", PRESETS, SETTINGS) if "study" in ASIDE else None
    EXPERIMENT = PLAN.shared if PLAN else check(merge(read(ROOT / "params.yaml"), SETTINGS))
except InputError as error:
    raise WorkflowError(str(error)) from None


def code(*steps):
    """The files that the steps run: an edit to any of them is a reason to run them again."""
    return sorted({os.path.relpath(path) for step in steps for path in closure(step)})


# Each experiment by the directory of its results, which the rules know as the wildcard `run`: `results` is that of
# params.yaml, and a study has its variants. `HOME_RUN` holds the params.yaml that says what they share: the data.
HOME_RUN = PLAN.directory if PLAN else "results"
RUNS = {f"{HOME_RUN}/{slug}": v.experiment for slug, v in PLAN.variants.items()} if PLAN else {"results": EXPERIMENT}


def cause(*sections):
    """A rule's params: what the sections of its experiment say. A change to any of it is a reason to run again."""
    return lambda wildcards: RUNS[wildcards.run].text(*sections)


def seeds(run):
    """The directories of an experiment's trainings."""
    return [f"{run}/seed-{seed}" for seed in RUNS[run].seeds]


def of_study(*files):
    """These files of every variant."""
    if PLAN is None:
        known = ", ".join(sorted(path.stem for path in STUDIES.glob("*.yaml")))
        raise WorkflowError(f"which study? --config study=NAME, one of {known}, or a file of your own")
    return [f"{PLAN.directory}/{slug}/{file}" for slug in PLAN.variants for file in files]


def figure(name, category, title):
    """A figure of dawn.plot, as the report shows it: with its caption, in its category."""
    return report(
        f"{{run}}/plots/{name}.png",
        caption=f"../report/{name}.rst",
        category=category,
        labels={"figure": title, "experiment": "{run}"},
    )


wildcard_constraints:
    run=r"results(/studies/[^/]+/[^/]+)?",
    seed=r"\d+",
