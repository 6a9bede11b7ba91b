"""The engines around the commands: the scheduler, and the container engine with its image."""

import importlib.util
import os
import re
import shutil
import sys
from pathlib import Path

from dawn.core.host import answer
from dawn.health.finding import Finding

LOCK = "share/runtime.lock"  # of the image, below the prefix of its Python
MIN_JOB_AGE = 120  # seconds for which Slurm must know an ended job, so that squeue reports it to Snakemake


def scheduler(root: Path) -> list[Finding]:
    """Check that Slurm answers, and remembers ended jobs for long enough."""
    if shutil.which("sbatch") is None:
        return [Finding("not needed", "no Slurm on this machine")]
    nodes = answer("sinfo", "--noheader", "--format=%P %D %T", seconds=20)
    if nodes is None:
        return [Finding("problem", "sbatch is installed, but sinfo fails", "scontrol ping; ask the cluster's staff")]
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return [Finding("problem", "Slurm is installed, but Snakemake's plugin for it is not", "make env")]
    age = re.search(r"MinJobAge\s*=\s*(\d+)", answer("scontrol", "show", "config", seconds=20) or "")
    if age and int(age[1]) < MIN_JOB_AGE:
        text = f"Slurm forgets an ended job after {age[1]} s (MinJobAge), too soon for squeue"
        remedy = f"ask the cluster's staff for MinJobAge={MIN_JOB_AGE} or more (not sacct: docs/cluster.md)"
        return [Finding("problem", text, remedy)]
    partitions = ", ".join(" ".join(line.split()) for line in nodes.splitlines())
    return [Finding("ok", f"{answer('sinfo', '--version')}: {partitions}")]


def container(root: Path) -> list[Finding]:
    """The image that runs this, or the container engines; an image must have the lock file of the checkout."""
    lock = (root / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    inside = Path(sys.prefix) / LOCK
    if inside.exists():
        name = os.environ.get("APPTAINER_CONTAINER") or os.environ.get("DAWN_IMAGE") or "an image"
        return [compared(f"inside {name}", inside.read_text(encoding="utf-8"), lock)]
    versions = [answer(engine, "--version") for engine in ("apptainer", "singularity", "docker")]
    findings = [Finding("ok", version) for version in versions if version]
    image = root / "containers" / "dawn.sif"
    if image.exists() and (engine := shutil.which("apptainer") or shutil.which("singularity")):
        rootless = ["--userns"] if os.geteuid() == 0 else []  # root needs it where Apptainer is not setuid
        built = answer(engine, "exec", *rootless, str(image), "cat", f"/opt/dawn/{LOCK}", seconds=120)
        findings.append(compared("containers/dawn.sif", built, lock))
    return findings or [Finding("not needed", "no Apptainer or Docker on this machine")]


def compared(name: str, built: str | None, lock: str) -> Finding:
    """Check that the lock file in an image, ``built``, is that of the checkout."""
    if built is None:
        return Finding("problem", f"{name} does not open, or is not an image of dawn", "make image, make sif")
    if built.strip() != lock.strip():
        return Finding("problem", f"{name} was built from another requirements/runtime.lock", "make image, make sif")
    return Finding("ok", f"{name}, built from this requirements/runtime.lock")
