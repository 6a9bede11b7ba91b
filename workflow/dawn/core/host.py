"""The machine that a step runs on: its cores, its GPUs, its processor, what its commands print."""

import ctypes
import math
import os
import platform
import re
import shutil
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

EXPERIMENTS = "experiments"  # the directory of the experiments that have a name
PR_SET_PDEATHSIG = 1  # of <linux/prctl.h>


def working_in() -> str:
    """Return ``experiments/NAME`` where the working directory is that of such an experiment, else nothing.

    Steps of an experiment with a name work there, and paths in what they print start there.
    """
    with suppress(OSError):  # a working directory that was deleted
        here = Path.cwd()
        if here.parent.name == EXPERIMENTS:
            return f"{EXPERIMENTS}/{here.name}"
    return ""


def affinity() -> set[int]:
    """The CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def cores() -> int:
    """The number of cores that this process may use: its affinity, within the quota of its control group."""
    return max(1, int(min(len(affinity()), quota())))


def stated_threads(environment: Mapping[str, str]) -> str:
    """Return the number of threads that the user has set, or ``auto``."""
    return environment.get("DAWN_THREADS") or environment.get("OMP_NUM_THREADS") or "auto"


def quota(root: Path = Path("/sys/fs/cgroup"), processes: Path = Path("/proc/self/cgroup")) -> float:
    """The CPU time that control groups allow, in cores: the least of the group and those above it, or infinity.

    https://docs.kernel.org/admin-guide/cgroup-v2.html: cpu.max; version 1 has cpu.cfs_quota_us and its period.
    """
    limits = [math.inf]
    for line in _lines(processes):
        _, controllers, path = line.split(":", 2)
        if controllers and "cpu" not in controllers.split(","):
            continue
        top = root / "cpu" if controllers else root
        group = top / path.strip("/")
        limits += [_limit(place) for place in (group, *group.parents) if place.is_relative_to(top)]
    return min(limits)


def _limit(group: Path) -> float:
    words = _lines(group / "cpu.max") or _lines(group / "cpu.cfs_quota_us") + _lines(group / "cpu.cfs_period_us")
    numbers = " ".join(words).split()
    return int(numbers[0]) / int(numbers[1]) if len(numbers) == 2 and numbers[0] not in ("max", "-1") else math.inf


LAUNCHER = ("WORLD_SIZE", "RANK", "LOCAL_RANK", "TORCHELASTIC_RUN_ID")  # what torchrun tells each of its processes


def of_launcher(variable: str, alone: int = 0) -> int:
    """A number that torchrun gives to each of its processes, such as RANK; ``alone`` where it did not start this one.

    RANK alone proves nothing: clusters set it for a whole machine, and shells keep it.
    """
    *numbers, run = LAUNCHER
    launched = run in os.environ and all(os.environ.get(name, "").isdecimal() for name in numbers)
    return int(os.environ[variable]) if launched else alone


def visible_gpus() -> int:
    """The GPUs that CUDA would show: those of CUDA_VISIBLE_DEVICES before the first that is not here, or all.

    https://docs.nvidia.com/cuda/cuda-c-programming-guide: an index that does not exist ends the list.
    """
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is None:
        return present_gpus()
    names = [name.strip() for name in chosen.split(",")]
    here = present_gpus() if any(names) else 0
    exist = [here > int(name) if name.isdecimal() else here > 0 and name[:4] in ("GPU-", "MIG-") for name in names]
    return exist.index(False) if False in exist else len(exist)


def present_gpus() -> int:
    """The GPUs of this machine, by the device files, or by nvidia-smi where these are hidden."""
    files = [path for path in Path("/dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    if files or not shutil.which("nvidia-smi"):
        return len(files)
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


# By these a scheduler says which GPUs a job has, or how many, and what the value is then. DAWN_GPUS is run.gpus in a
# job that Snakemake submitted.
ALLOCATED = {
    **dict.fromkeys(("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SGE_HGR_gpu"), r"\S"),
    **dict.fromkeys(("SLURM_GPUS_ON_NODE", "SLURM_GPUS", "SLURM_GPUS_PER_NODE", "SLURM_GPUS_PER_TASK"), "(^|:)[1-9]"),
    **dict.fromkeys(("SLURM_GPUS_PER_SOCKET", "PBS_NGPUS", "DAWN_GPUS"), "(^|:)[1-9]"),
    **dict.fromkeys(("SLURM_JOB_GRES", "SLURM_TRES_PER_TASK", "SLURM_TRES_PER_JOB"), "gpu(:[^:,]+)?[:=][1-9]"),
}


def allocated_gpus() -> str | None:
    """The variable in which a scheduler says that it gave this job a GPU, with its value."""
    given = [name for name, wanted in ALLOCATED.items() if re.search(wanted, os.environ.get(name, "").strip())]
    return f"{given[0]} = {os.environ[given[0]]!r}" if given else None


def end_with_parent(parent: int, number: int = signal.SIGKILL) -> None:
    """Have the kernel send a signal to this process when its parent ends, however that happens (prctl(2), Linux)."""
    with suppress(OSError, AttributeError):  # a system without it
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, number)
    if os.getppid() != parent:  # which has ended already
        os.kill(os.getpid(), number)


def processor() -> str:
    """The CPU's name."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in _lines(info) if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def features() -> list[str]:
    """Return the CPU's vector extensions on which the speed of a training depends."""
    known = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")
    lines = [line.split(":", 1)[1].split() for line in _lines(Path("/proc/cpuinfo")) if line[:5] in ("flags", "Featu")]
    return [name for name in known if lines and name in lines[0]]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def answer(
    *command: str, at: Path | None = None, seconds: float = 60, env: Mapping[str, str] | None = None
) -> str | None:
    """Return what a command prints, or None where it is missing, fails or does not end in time."""
    try:
        done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=True, timeout=seconds, env=env)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()
