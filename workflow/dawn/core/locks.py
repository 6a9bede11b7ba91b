"""Release Snakemake's lock on a working directory after the snakemake that held it was killed.

The lock files of Snakemake name no process, so after ``kill -9`` they stay and refuse every later run. Therefore each
snakemake that reads the Snakefile holds an flock on a file of its own in .snakemake/owners. The kernel releases it
however the process ends, and a later process cannot own it by accident, as it can a process id.
"""

import atexit
import fcntl
import json
import os
import shutil
import socket
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

OWNERS = Path(".snakemake/owners")
LOCKS = Path(".snakemake/locks")
VARIABLE = "DAWN_OWNER"  # in the environment of every job: the name of its owner's file


class Owner:
    """This process as a possible owner of the lock; its file is deleted when the process ends normally."""

    def __init__(self) -> None:
        self.about = {"host": socket.gethostname(), "pid": os.getpid(), "executor": None}
        self.path = OWNERS / f"{self.about['host']}-{os.getpid()}-{time.time_ns()}.json"
        OWNERS.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".partial")
        self.file = partial.open("w", encoding="utf-8")
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:  # a file system without flock: there is no way to find out there whether an owner is alive
            partial.unlink()
            return
        self._write()
        partial.rename(self.path)
        atexit.register(self.path.unlink, missing_ok=True)
        os.environ[VARIABLE] = self.path.stem

    def submits_to(self, executor: str) -> None:
        """Note that jobs may outlive this process on other machines, where nothing here can find them."""
        self.about["executor"] = executor
        self._write()

    def _write(self) -> None:
        self.file.seek(0)
        self.file.write(json.dumps(self.about))
        self.file.truncate()
        self.file.flush()


def release(owner: Owner) -> str | None:
    """Remove the lock if all its possible owners were killed on this host; return a message for the user, or None."""
    others = [path for path in sorted(OWNERS.glob("*.json")) if path != owner.path]
    dead = {path: about for path in others if (about := _dead(path)) is not None}
    if not any(LOCKS.glob("*.lock")):
        for path in dead:
            path.unlink(missing_ok=True)
        return None
    if not dead or len(dead) < len(others):
        return None  # Snakemake's own message is right: another snakemake is running, or one that left no file
    for path, about in dead.items():
        if problem := _problem(path.stem, about):
            return problem
    shutil.rmtree(LOCKS, ignore_errors=True)
    for path in dead:
        path.unlink(missing_ok=True)
    killed = ", ".join(str(about["pid"]) for about in dead.values())
    return f"released the lock of snakemake (process {killed}), which was killed"


def _problem(name: str, about: dict[str, Any]) -> str | None:
    """Why the lock of an owner without flock must stay, and what to do; None if nothing of the owner is left."""
    who = f"snakemake (process {about['pid']} on {about['host']})"
    if about["host"] != socket.gethostname():
        return f"the lock belongs to {who}, which cannot be checked from here; if it has ended: snakemake --unlock"
    if about["executor"]:
        return f"{who} was killed after it submitted jobs to {about['executor']}; when they end: snakemake --unlock"
    if jobs := _jobs(name):
        left = " ".join(map(str, jobs))
        return f"{who} was killed and its jobs still run; wait for them or end them, then start again: kill {left}"
    return None


def _jobs(owner: str) -> list[int]:
    """The ids of this user's processes that were started by an owner."""
    import psutil

    holders = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if process.environ().get(VARIABLE) == owner:
                holders.append(process.pid)
    return holders


def _dead(path: Path) -> dict[str, Any] | None:
    """The contents of a dead owner's file, or None if the owner is alive."""
    try:
        with path.open(encoding="utf-8") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            about: dict[str, Any] = json.load(file)
    except (OSError, ValueError):
        return None
    return about
