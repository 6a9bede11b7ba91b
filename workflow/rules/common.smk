"""Where the steps run, what is asked of them, and which code they are."""

import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow"))

from dawn.cli import Refusal
from dawn.closure import closure
from dawn.config.experiment import check, dump, lay, read

# The steps run in this Python and from this checkout, wherever the working directory is.
for variable, first in (
    ("PATH", Path(sys.executable).parent),
    ("PYTHONPATH", ROOT / "workflow"),
):
    os.environ[variable] = os.pathsep.join(filter(None, [str(first), os.environ.get(variable)]))


# Before the experiment is checked, since a stage of a faulty one must not leave the metrics of another.
include: "dvc.smk"


# `config` holds what --configfile and --config say: a preset, then single settings, laid over params.yaml.
try:
    EXPERIMENT = check(lay(read(ROOT / "params.yaml"), config))
except Refusal as error:
    raise WorkflowError(str(error)) from None


def code(*steps):
    """The files that the steps run: an edit to any of them is a reason to run them again."""
    return sorted({os.path.relpath(path) for step in steps for path in closure(step)})


# Each experiment by the directory of its results, which the rules know as the wildcard `run`. The one of params.yaml
# is `results`; a study adds its variants.
RUNS = {"results": EXPERIMENT}


def cause(*sections):
    """A rule's params: what the sections of its experiment say. A change to any of it is a reason to run again."""
    return lambda wildcards: RUNS[wildcards.run].text(*sections)


def seeds(run):
    """The directories of an experiment's trainings."""
    return [f"{run}/seed-{seed}" for seed in RUNS[run].seeds]


wildcard_constraints:
    run=r"results(/studies/[^/]+/[^/]+)?",
    seed=r"\d+",
