"""The machine under the steps: GPUs and their driver, processes that must talk to each other, memory and disks."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dawn.core.host import answer, visible_gpus
from dawn.health.finding import Finding

GB = 1e9
# The oldest driver on Linux that runs programs of a major version of CUDA (CUDA Compatibility, table 1).
DRIVERS = {"11": 450, "12": 525, "13": 580}


def driver() -> str | None:
    """The version of NVIDIA's driver, from the kernel or from nvidia-smi."""
    kernel = Path("/proc/driver/nvidia/version")
    found = re.search(r"\s(\d{3}\.\d+(?:\.\d+)?)\s", kernel.read_text()) if kernel.exists() else None
    asked = answer("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return found[1] if found else (asked.splitlines()[0] if asked else None)


def gpu(root: Path) -> list[Finding]:
    """Each GPU that computes, or why none does."""
    import torch

    version, runs = torch.version.cuda, driver()
    if not torch.cuda.is_available():
        return [silent(visible_gpus(), runs, version)]
    return [tried(index, runs, version) for index in range(torch.cuda.device_count())]


def silent(visible: int, runs: str | None, version: str | None) -> Finding:
    """What it means that PyTorch sees no GPU: of ``visible`` ones, by a driver and a version of CUDA."""
    if not visible:
        driven = f"; the driver {runs} is loaded, so --gpus all, --nv or a GPU of the scheduler's is missing"
        return Finding("none", f"none here, so the CPU trains{driven if runs else ''}")
    if version is None:
        return Finding("wrong", f"{visible} here, and this PyTorch is built for the CPU alone", "make env")
    needs = DRIVERS.get(version.split(".")[0], 0)
    if runs and int(runs.split(".")[0]) < needs:
        return Finding("wrong", f"driver {runs} is too old for CUDA {version}", f"install driver {needs} or newer")
    remedy = "python -c 'import torch; torch.cuda.init()' says why"
    return Finding("wrong", f"{visible} here, driver {runs}, and CUDA {version} finds none", remedy)


def tried(index: int, runs: str | None, version: str | None) -> Finding:
    """One GPU, by a product of matrices on it."""
    import torch

    properties = torch.cuda.get_device_properties(index)
    name = f"{index}: {properties.name}, {properties.total_memory / GB:.0f} GB, driver {runs}, CUDA {version}"
    try:
        square = torch.ones(64, 64, device=f"cuda:{index}", dtype=torch.float16)
        right = float((square @ square)[0, 0]) == 64
    except RuntimeError as error:
        why = str(error).splitlines()[0]
        kinds = ", ".join(torch.cuda.get_arch_list())
        return Finding("wrong", f"{name}: {why}", f"this PyTorch is built for {kinds}; another GPU or another build")
    return Finding("ok" if right else "wrong", name, "" if right else "a product came out wrong: test the GPU")


def join(root: Path) -> list[Finding]:
    """Whether processes find each other and add up, as in a training: NCCL's on GPUs, gloo's on CPUs."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    kind, processes = ("nccl", min(gpus, 2)) if gpus else ("gloo", 2)
    line = [sys.executable, "-m", "dawn.launch", "--processes", str(processes), "dawn.health.join"]
    start = time.monotonic()
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=False)
        said = done.stdout.strip() if done.returncode == 0 else " ".join(done.stderr.split())[-300:]
    except subprocess.TimeoutExpired:
        said = "nothing came for 180 s"
    if said.startswith("joined"):
        return [Finding("ok", f"{kind}, {said[7:]}, {time.monotonic() - start:.1f} s with their start")]
    shell = "NCCL_DEBUG=INFO " if gpus else ""
    remedy = f"{shell}python -m dawn.launch --processes {processes} dawn.health.join; in Docker --ipc=host"
    return [Finding("wrong", f"{kind}, {processes} processes: {said}", remedy)]


def shm(root: Path) -> list[Finding]:
    """The memory that processes share, which NCCL's need and Docker makes small."""
    place = Path("/dev/shm")
    if not place.is_dir():
        return [Finding("none", "no /dev/shm on this system")]
    usage = shutil.disk_usage(place)
    words = f"{usage.free / GB:.2f} of {usage.total / GB:.2f} GB free"
    if usage.free < 0.5 * GB and visible_gpus() > 1:
        return [Finding("wrong", f"{words}, too little for several GPUs", "docker run --ipc=host, or --shm-size 2g")]
    return [Finding("ok", words)]


def disk(root: Path) -> list[Finding]:
    """Room for archive, arrays and results (1 GB), and for what is temporary."""
    found = []
    for place in dict.fromkeys((str(Path.cwd()), tempfile.gettempdir())):
        free = shutil.disk_usage(place).free / GB
        state, remedy = (
            ("ok", "") if free >= 1 else ("wrong", "a run needs about 1 GB: snakemake --directory elsewhere")
        )
        found.append(Finding(state, f"{free:.1f} GB free in {place}", remedy))  # type: ignore[arg-type]
    return found
