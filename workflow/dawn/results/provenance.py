"""Where a result comes from: the command, the commit, the lock files, the packages, the machine. Imports no torch."""

import datetime
import importlib.metadata
import os
import platform
import re
import shlex
import shutil
import socket
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from dawn.core.code_deps import HERE
from dawn.core.files import sha256
from dawn.core.git import revision
from dawn.core.host import answer, features, processor
from dawn.core.secrets import redacted

CHECKOUT = HERE.parents[1]
PATH = re.compile(r"(?:(?<=file://)|(?<![\w.~/]))/(?:[\w.+@-]+/)*[\w.+@-]+")  # an absolute one in a command line
WHOLE = re.compile(r"^(--?[\w-]+=)?(/.+)$")  # a word of a command that is a path, which may have blanks


def code(root: Path) -> dict[str, Any]:
    """The commit of the checkout, and whether code differs from it; nulls outside a repository.

    An image has no git, so the workflow passes DAWN_CODE to it: the commit on the first line, then the changed files.
    """
    passed = os.environ.get("DAWN_CODE")
    commit, _, changed = passed.partition("\n") if passed else (None, "", None)
    if shutil.which("git"):
        commit, changed = revision(root)
    return {
        "commit": commit,
        "dirty": None if changed is None else bool(changed),
        "locks": {path.name: sha256(path) for path in sorted((root / "requirements").glob("*.lock"))},
    }


def image() -> str | None:
    """The image that runs this, with its checksum; None outside of an image."""
    file = Path(os.environ.get("APPTAINER_CONTAINER", ""))
    return f"{file.name}@sha256:{sha256(file)}" if file.is_file() else _image()


def _image() -> str | None:
    """The name of the image that runs this, without the folder of its file; None outside of an image."""
    return Path(os.environ.get("APPTAINER_CONTAINER", "")).name or os.environ.get("DAWN_IMAGE")


def machine() -> dict[str, Any]:
    """Processor with its vector extensions, cores, GPUs and driver, and the image, without its checksum."""
    query = answer("nvidia-smi", "--query-gpu=name,memory.total,driver_version", "--format=csv,noheader")
    return {
        "system": platform.platform(),
        "cpu": processor(),
        "features": features(),
        "cores": os.cpu_count(),
        "gpus": query.splitlines() if query else [],
        "image": _image(),
    }


def names_of(gpus: Iterable[str]) -> list[str]:
    """Return the names of GPUs that ``machine`` lists with memory and driver."""
    return [gpu.partition(",")[0] for gpu in gpus]


def packages() -> dict[str, str]:
    """Name and version of every installed distribution."""
    versions = {d.metadata["Name"]: d.version for d in importlib.metadata.distributions()}
    return dict(sorted(versions.items(), key=lambda item: item[0].lower()))


@cache
def here() -> dict[str, Any]:
    """Return what this process runs on: the name of the host, Python, machine and packages."""
    python = sys.version.split()[0]
    return {"host": socket.gethostname(), "python": python, "machine": machine(), "packages": packages()}


def distinct(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each of several records once, in their order."""
    kept: list[dict[str, Any]] = []
    for record in records:
        if record not in kept:
            kept.append(record)
    return kept


def differences(trainings: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, list[int]]]:
    """Return where trainings ran on what differs, such as ``machine.cpu``: the seeds by what each of them had."""
    parts_of_seeds: dict[str, dict[str, list[int]]] = {}
    for training in trainings:
        for record in training.get("ran_on", ()):
            parts = {"python": record["python"]}
            parts |= {f"{part}.{key}": value for part in ("machine", "packages") for key, value in record[part].items()}
            for name, value in parts.items():
                text = ", ".join(value) if isinstance(value, list) else str(value)
                seeds = parts_of_seeds.setdefault(name, {}).setdefault(text, [])
                if training["seed"] not in seeds:
                    seeds.append(training["seed"])
    of_all = [training["seed"] for training in trainings]
    return {name: values for name, values in parts_of_seeds.items() if list(values.values()) != [of_all]}


def command() -> str:
    """The command that this process is part of, without the folders of this machine.

    In a job of Snakemake it is $DAWN_COMMAND, what the user typed.
    """
    if typed := os.environ.get("DAWN_COMMAND"):
        words = shlex.split(typed)
        words[0] = Path(words[0]).name
    else:
        words = ["python", *sys.orig_argv[1:]]
        words[:0] = [f"{name}={value}" for name in ("OMP_NUM_THREADS",) if (value := os.environ.get(name))]
    return shlex.join(WHOLE.sub(lambda path: (path[1] or "") + _shortened(path[2]), public(word)) for word in words)


def _shortened(path: str) -> str:
    """Return an absolute path relative to the checkout; of a file elsewhere its name."""
    absolute = Path(path)
    return str(absolute.relative_to(CHECKOUT)) if absolute.is_relative_to(CHECKOUT) else absolute.name


def public(text: str) -> str:
    """Return a text without secrets, its absolute paths relative to the checkout; of a file elsewhere its name."""
    return PATH.sub(lambda path: _shortened(path[0]), redacted(text))


def collect(root: Path, trainings: Sequence[Mapping[str, Any]] = ()) -> dict[str, Any]:
    """All of this, and when it was written; ``root`` is the checkout.

    ``trainings`` are the metrics.json of the seeds: machine and packages are those of the first, and what differs is
    named. Without any, or with those of an earlier version, they are those of this process.
    """
    records = [record for training in trainings for record in training.get("ran_on", ())] or [here()]
    first = records[0]["machine"]
    name = first.get("image")
    return {
        "written": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "command": command(),
        "code": code(root),
        "python": records[0]["python"],
        "hosts": sorted({record["host"] for record in records}),
        "machine": first | {"image": image() if name == _image() else name},
        "packages": records[0]["packages"],
        "differences": differences(trainings),
    }
