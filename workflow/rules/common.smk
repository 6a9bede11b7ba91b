"""Where the steps run, what is asked of them, and which code they are."""

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow"))

from dawn.cli import Refusal
from dawn.closure import closure, fingerprint
from dawn.config.experiment import check, dump, lay, read

# The steps run in this Python and from this checkout, wherever the working directory is.
for variable, first in (
    ("PATH", Path(sys.executable).parent),
    ("PYTHONPATH", ROOT / "workflow"),
):
    os.environ[variable] = os.pathsep.join(
        filter(None, [str(first), os.environ.get(variable)])
    )

# A stage of DVC. An experiment may run in a copy of the workspace, and that is deleted when it ends: what must outlive
# it, the archive and the states to resume from, lies in the workspace that DVC was called in.
STAGE = os.environ.get("DVC_STAGE")
HOME = os.path.relpath(os.environ.get("DVC_ROOT", ".")) if STAGE else "."
if STAGE:
    os.environ.setdefault("DAWN_RESUME", os.path.abspath(f"{HOME}/.resume"))
    # Whether this stage ends well or not, the summary of before is no longer that of params.yaml.
    for name in (
        "metrics.json",
        "summary.md",
        "curves.json",
        "confusion.csv",
        "classes.csv",
    ):
        Path("results", name).unlink(missing_ok=True)
if STAGE and config:
    raise WorkflowError(
        "DVC sees params.yaml alone, and a profile or an option lays more over it;"
        " write it in: python -m dawn.preset PRESET, or dvc exp run -S"
    )
BEFORE = fingerprint(ROOT)

# `config` holds what --configfile and --config say: a preset, then single settings, laid over params.yaml.
try:
    EXPERIMENT = check(lay(read(ROOT / "params.yaml"), config))
except Refusal as error:
    raise WorkflowError(str(error)) from None


def code(*steps):
    """The files that the steps run: an edit to any of them is a reason to run them again."""
    return sorted({os.path.relpath(path) for step in steps for path in closure(step)})


SEEDS = expand("results/seed-{seed}", seed=EXPERIMENT.seeds)
