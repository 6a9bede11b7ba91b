"""CIFAR-10 from its archive to a trained, evaluated network. Every choice is in params.yaml."""

import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow"))

from dawn.cli import Refusal
from dawn.closure import closure
from dawn.config.experiment import check, lay, read

# The steps run in this Python and from this checkout, wherever the working directory is.
os.environ["PATH"] = os.pathsep.join(
    [str(Path(sys.executable).parent), os.environ["PATH"]]
)
os.environ["PYTHONPATH"] = os.pathsep.join(
    [str(ROOT / "workflow"), os.environ.get("PYTHONPATH", "")]
).rstrip(os.pathsep)

# `config` holds what --configfile and --config say: a preset, then single settings, laid over params.yaml.
try:
    EXPERIMENT = check(lay(read(ROOT / "params.yaml"), config))
except Refusal as error:
    raise WorkflowError(str(error)) from None


def code(step):
    """The files that a step runs: an edit to any of them is a reason to run it again."""
    return [os.path.relpath(path) for path in closure(step)]


SEEDS = expand("results/seed-{seed}", seed=EXPERIMENT.seeds)


include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"


rule all:
    default_target: True
    input:
        "results/metrics.json",
        "results/model.txt",
        "results/provenance.json",
        expand("{seed}/dawnbench.json", seed=SEEDS),


onsuccess:
    summary = Path("results/summary.md")
    if summary.exists():
        print(f"\n{summary.resolve()}:\n\n{summary.read_text()}", file=sys.stderr)
