"""The machine: GPUs and their driver, communication between processes, shared memory, disks."""

import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from dawn.core.host import allocated_gpus, answer, visible_gpus
from dawn.health.finding import Finding

GB = 1e9
RUN_GB = 1.0  # archive, arrays and results of a run
# The oldest driver on Linux that runs programs of a major version of CUDA (CUDA Compatibility, table 1).
DRIVERS = {"11": 450, "12": 525, "13": 580}


def driver() -> str | None:
    """The version of NVIDIA's driver, from the kernel or from nvidia-smi."""
    kernel = Path("/proc/driver/nvidia/version")
    loaded = re.search(r"\s(\d{3}\.\d+(?:\.\d+)?)\s", kernel.read_text()) if kernel.exists() else None
    listed = answer("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader")
    return loaded[1] if loaded else (listed.splitlines()[0] if listed else None)


def gpu(root: Path) -> list[Finding]:
    """Each GPU that PyTorch can use, or why it can use none."""
    import torch

    version, loaded = torch.version.cuda, driver()
    if not torch.cuda.is_available():
        return [no_gpu(visible_gpus(), loaded, version)]
    return [multiplied(index, loaded, version) for index in range(torch.cuda.device_count())]


def no_gpu(visible: int, loaded: str | None, version: str | None) -> Finding:
    """Why PyTorch sees no GPU, given the number of ``visible`` ones, the driver and PyTorch's version of CUDA."""
    if not visible and (given := allocated_gpus()):
        remedy = "--nv or --gpus all in a container; else ask the cluster's staff; run.gpus: 0 requests none"
        return Finding("problem", f"the scheduler gave this job a GPU ({given}), but none is visible", remedy)
    if not visible:
        hint = f"; driver {loaded} is loaded, so --gpus all, --nv or a GPU from the scheduler may be missing"
        return Finding("not needed", f"none on this machine, training uses the CPU{hint if loaded else ''}")
    if version is None:
        return Finding("problem", f"{visible} on this machine, but this PyTorch is built without CUDA", "make env")
    needed = DRIVERS.get(version.split(".")[0], 0)
    if loaded and int(loaded.split(".")[0]) < needed:
        return Finding("problem", f"driver {loaded} is too old for CUDA {version}", f"install driver {needed} or newer")
    remedy = "python -c 'import torch; torch.cuda.init()' prints the reason"
    return Finding("problem", f"{visible} on this machine, driver {loaded}, but CUDA {version} finds none", remedy)


def multiplied(index: int, loaded: str | None, version: str | None) -> Finding:
    """One GPU, tested by a matrix product."""
    import torch

    properties = torch.cuda.get_device_properties(index)
    name = f"{index}: {properties.name}, {properties.total_memory / GB:.0f} GB, driver {loaded}, CUDA {version}"
    try:
        ones = torch.ones(64, 64, device=f"cuda:{index}", dtype=torch.float16)
        right = float((ones @ ones)[0, 0]) == 64
    except RuntimeError as error:
        kinds = ", ".join(torch.cuda.get_arch_list())
        remedy = f"this PyTorch is built for {kinds}; use another GPU or another build"
        return Finding("problem", f"{name}: {str(error).splitlines()[0]}", remedy)
    return Finding("ok", name) if right else Finding("problem", f"{name}: a matrix product is wrong", "test the GPU")


def join(root: Path) -> list[Finding]:
    """Check that processes can form a process group, as in a training: with NCCL on GPUs, with gloo on CPUs."""
    import torch

    gpus = torch.cuda.device_count() if torch.cuda.is_available() else 0
    backend, processes = ("nccl", min(gpus, 2)) if gpus else ("gloo", 2)
    line = [sys.executable, "-m", "dawn.launch", "--processes", str(processes), "dawn.health.process_group"]
    start = time.monotonic()
    try:
        done = subprocess.run(line, capture_output=True, text=True, timeout=180, check=False)
        result = done.stdout.strip() if done.returncode == 0 else " ".join(done.stderr.split())[-300:]
    except subprocess.TimeoutExpired:
        result = "no answer after 180 s"
    if result.startswith("joined"):
        return [Finding("ok", f"{backend}, {result[7:]}, {time.monotonic() - start:.1f} s including the start")]
    debug = "NCCL_DEBUG=INFO " if gpus else ""
    remedy = f"{debug}python -m dawn.launch --processes {processes} dawn.health.process_group; in Docker --ipc=host"
    return [Finding("problem", f"{backend}, {processes} processes: {result}", remedy)]


def shm(root: Path) -> list[Finding]:
    """The shared memory, which NCCL needs and Docker makes small."""
    place = Path("/dev/shm")
    if not place.is_dir():
        return [Finding("not needed", "no /dev/shm on this system")]
    usage = shutil.disk_usage(place)
    text = f"{usage.free / GB:.2f} of {usage.total / GB:.2f} GB free"
    if usage.free < 0.5 * GB and visible_gpus() > 1:
        return [Finding("problem", f"{text}, too little for several GPUs", "docker run --ipc=host, or --shm-size 2g")]
    return [Finding("ok", text)]


def disk(root: Path) -> list[Finding]:
    """Free space in the working directory and in the directory of temporary files."""
    findings = []
    for place in dict.fromkeys((str(Path.cwd()), tempfile.gettempdir())):
        free = shutil.disk_usage(place).free / GB
        text = f"{free:.1f} GB free in {place}"
        if free < RUN_GB:
            findings.append(Finding("problem", f"{text}, less than {RUN_GB:g}", "snakemake --directory, or TMPDIR"))
        else:
            findings.append(Finding("ok", text))
    return findings
