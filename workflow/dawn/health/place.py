"""What surrounds the steps: the scheduler, the container engine and its image, the sources of the data."""

import importlib.util
import os
import re
import shutil
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from urllib.parse import urlsplit

import requests

from dawn.core.host import answer
from dawn.health.finding import Finding

SECONDS = 5.0  # a mirror is given to answer
LOCK = "share/runtime.lock"  # of the image, below the prefix of its Python
REMEMBERED = 120  # seconds that Slurm must know of an ended job, for squeue to tell Snakemake of it


def scheduler(root: Path) -> list[Finding]:
    """Whether Slurm answers, and keeps ended jobs in mind for long enough."""
    if shutil.which("sbatch") is None:
        return [Finding("none", "no Slurm here")]
    nodes = answer("sinfo", "--noheader", "--format=%P %D %T", seconds=20)
    if nodes is None:
        return [
            Finding("wrong", "sbatch is here, and sinfo does not answer", "scontrol ping; ask your cluster's staff")
        ]
    if importlib.util.find_spec("snakemake_executor_plugin_slurm") is None:
        return [Finding("wrong", "Slurm is here, Snakemake's plugin for it is not", "make env")]
    age = re.search(r"MinJobAge\s*=\s*(\d+)", answer("scontrol", "show", "config", seconds=20) or "")
    if age and int(age[1]) < REMEMBERED:
        remedy = "slurm-status-command: sacct in profiles/slurm"
        return [
            Finding("wrong", f"Slurm forgets an ended job after {age[1]} s (MinJobAge), too soon for squeue", remedy)
        ]
    words = ", ".join(" ".join(line.split()) for line in nodes.splitlines())
    return [Finding("ok", f"{answer('sinfo', '--version')}: {words}")]


def container(root: Path) -> list[Finding]:
    """The image that we are in, or the engines that could enter one; its lock must be the checkout's."""
    lock = (root / "requirements" / "runtime.lock").read_text(encoding="utf-8")
    held = Path(sys.prefix) / LOCK
    if held.exists():
        inside = os.environ.get("APPTAINER_CONTAINER") or os.environ.get("DAWN_IMAGE") or "an image"
        return [compared(f"inside {inside}", held.read_text(encoding="utf-8"), lock)]
    found = []
    for engine in ("apptainer", "singularity", "docker"):
        if version := answer(engine, "--version"):
            found.append(Finding("ok", version))
    image = root / "containers" / "dawn.sif"
    if image.exists() and (engine := shutil.which("apptainer") or shutil.which("singularity") or ""):
        held_lock = answer(engine, "exec", *flags(), str(image), "cat", f"/opt/dawn/{LOCK}", seconds=120)
        found.append(compared("containers/dawn.sif", held_lock, lock.strip()))
    return found or [Finding("none", "no Apptainer or Docker here")]


def flags() -> Sequence[str]:
    """What Apptainer needs of root where it is not installed setuid."""
    return ["--userns"] if os.geteuid() == 0 else []


def compared(name: str, held: str | None, lock: str) -> Finding:
    """Whether an image holds the packages that the checkout wants."""
    if held is None:
        return Finding("wrong", f"{name} does not open, or is not an image of dawn", "make image, make sif")
    if held.strip() != lock.strip():
        return Finding("wrong", f"{name} was built from another requirements/runtime.lock", "make image, make sif")
    return Finding("ok", f"{name}, built from this requirements/runtime.lock")


def mirrors(urls: Sequence[str], size: int | None) -> list[Finding]:
    """Each source of the data, asked all at once. All may be out of reach, since a local archive does as well."""
    with ThreadPoolExecutor(len(urls)) as pool:
        return list(pool.map(lambda url: asked(url, size), urls))


def asked(url: str, size: int | None) -> Finding:
    """What one source says of the archive, without fetching it."""
    if urlsplit(url).scheme not in ("http", "https"):
        path = Path(url.removeprefix("file://"))
        if path.exists() or path.parts[:2] == ("resources", "generated"):
            return Finding("ok", f"{url}: {'there' if path.exists() else 'drawn by the workflow itself'}")
        return Finding("wrong", f"{url}: no such file", "put it there, or name another in data.urls")
    try:
        plain = {"Accept-Encoding": "identity"}
        with requests.get(url, stream=True, timeout=SECONDS, headers=plain) as response:
            length = response.headers.get("Content-Length")
            if response.status_code != 200:
                return Finding("wrong", f"{url}: HTTP {response.status_code}", "take it out of data.urls")
            if size and length and int(length) != size:
                return Finding("wrong", f"{url}: {length} bytes, not {size}", "take it out of data.urls")
            return Finding(
                "ok", f"{url}: {length or 'unknown number of'} bytes, {response.elapsed.total_seconds():.1f} s"
            )
    except requests.RequestException as error:
        return Finding(
            "none", f"{url}: out of reach ({type(error).__name__})", "offline, name a local file in data.urls"
        )
