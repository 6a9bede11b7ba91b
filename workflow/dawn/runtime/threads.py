"""How many threads a process computes with on a CPU, and how they wait for each other, by the cores that are free.

OpenMP's threads wait for each other after every layer. Next to other processes a thread more than there are free cores
delays all the others, which spin meanwhile: tests/bench/threads.py measures it. Imports no torch.
"""

import re
import time
from collections.abc import Mapping
from pathlib import Path

from dawn.core.cli import InputError, quoted
from dawn.core.host import affinity, cores, stated_threads

SAMPLE = 0.2  # seconds
SAMPLES = 5  # the quietest counts: work that comes and goes, such as Snakemake's own, leaves the cores free
STAT = Path("/proc/stat")


def settings(environment: Mapping[str, str], processes: int) -> tuple[dict[str, str], str | None]:
    """Return OpenMP's settings for each of several processes here, and the reason if they get fewer threads than usual.

    A number of threads that the user has set stays: OMP_NUM_THREADS, or DAWN_THREADS where it exists. Snakemake sets
    OMP_NUM_THREADS itself, to the threads of the rule; with DAWN_THREADS = auto these are a limit.
    """
    chosen = stated_threads(environment)
    if chosen != "auto":
        return _threads(chosen), None
    limit = min(cores(), int(_threads(environment.get("OMP_NUM_THREADS") or str(cores()))["OMP_NUM_THREADS"]))
    free = min(free_cores(), limit) if limit > processes else float(limit)
    variables = _threads(str(max(1, round(free) // processes)))
    if round(free) < limit and "OMP_WAIT_POLICY" not in environment:
        variables["OMP_WAIT_POLICY"] = "passive"
    if round(free) >= limit:
        return variables, None  # as usual
    number = variables["OMP_NUM_THREADS"]
    where = "" if processes == 1 else f" for each of {processes} processes"
    return variables, f"{number} thread{'s' * (number != '1')}{where}, since {free:.1f} of {limit} cores are free"


def _threads(number: str) -> dict[str, str]:
    if not re.fullmatch(r"\s*[1-9][0-9]{0,4}\s*(,.*)?", number):  # OpenMP's further numbers are of nested threads
        raise InputError(f"OMP_NUM_THREADS or DAWN_THREADS is {quoted(number)}: a number of threads from 1 on")
    number = number.partition(",")[0].strip()
    return {"OMP_NUM_THREADS": number, "MKL_NUM_THREADS": number}


def free_cores() -> float:
    """Return how many of this process's cores are free; all of them where the system does not report it."""
    allowed = affinity()
    free, (idle, total) = 0.0, _ticks(allowed)
    for _ in range(SAMPLES):
        time.sleep(SAMPLE)
        before, (idle, total) = (idle, total), _ticks(allowed)
        if total == before[1]:
            return float(len(allowed))
        free = max(free, len(allowed) * (idle - before[0]) / (total - before[1]))
        if free > len(allowed) - 0.5:
            break
    return free


def _ticks(allowed: set[int]) -> tuple[int, int]:
    """Return the idle and all ticks of these CPUs so far; proc_stat(5): user, nice, system, idle, iowait, ..."""
    lines = STAT.read_text(encoding="ascii").splitlines() if STAT.exists() else []
    rows = [line.split() for line in lines if line.startswith("cpu")]
    times = [[int(n) for n in row[1:9]] for row in rows if row[0][3:].isdecimal() and int(row[0][3:]) in allowed]
    return sum(row[3] + row[4] for row in times), sum(sum(row) for row in times)
