"""The machine that a step runs on: its cores, its GPUs, its processor, what its commands print."""

import math
import os
import platform
import re
import shutil
import subprocess
from pathlib import Path


def affinity() -> set[int]:
    """The CPUs that this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return os.sched_getaffinity(0)
    return set(range(os.cpu_count() or 1))


def cores() -> int:
    """The number of cores that this process may use: its affinity, within the quota of its control group."""
    return max(1, int(min(len(affinity()), quota())))


def quota(root: Path = Path("/sys/fs/cgroup"), own: Path = Path("/proc/self/cgroup")) -> float:
    """The CPU time that control groups allow, in cores: the least of the group and those above it, or infinity.

    https://docs.kernel.org/admin-guide/cgroup-v2.html: cpu.max; version 1 has cpu.cfs_quota_us and its period.
    """
    limits = [math.inf]
    for line in _lines(own):
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


def visible_gpus() -> int:
    """The GPUs that CUDA would show, by the environment, the device files, or nvidia-smi where these are hidden."""
    chosen = os.environ.get("CUDA_VISIBLE_DEVICES")
    if chosen is not None:
        return len([name for name in chosen.split(",") if name.strip() not in ("", "-1", "NoDevFiles")])
    files = [path for path in Path("/dev").glob("nvidia*") if re.fullmatch(r"nvidia\d+", path.name)]
    if files or not shutil.which("nvidia-smi"):
        return len(files)
    listed = subprocess.run(["nvidia-smi", "-L"], capture_output=True, text=True, check=False)
    return sum(line.startswith("GPU ") for line in listed.stdout.splitlines())


def processor() -> str:
    """The CPU's name."""
    info = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in _lines(info) if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def features() -> list[str]:
    """Those of the CPU's vector extensions on which the speed of a training depends."""
    known = ("avx2", "avx512f", "avx512_bf16", "amx_bf16", "asimd", "sve", "bf16")
    lines = [line.split(":", 1)[1].split() for line in _lines(Path("/proc/cpuinfo")) if line[:5] in ("flags", "Featu")]
    return [name for name in known if lines and name in lines[0]]


def _lines(path: Path) -> list[str]:
    return path.read_text(encoding="utf-8", errors="replace").splitlines() if path.exists() else []


def answer(*command: str, at: Path | None = None, seconds: float = 60) -> str | None:
    """What a command prints, or None where it is missing, fails or does not end in time."""
    try:
        done = subprocess.run(command, cwd=at, capture_output=True, text=True, check=True, timeout=seconds)
    except (subprocess.SubprocessError, OSError):
        return None
    return done.stdout.strip()
