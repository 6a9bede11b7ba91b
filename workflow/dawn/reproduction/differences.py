"""What differs between where a result was made and here, and whether it can change a number."""

import os
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from dawn.config.types import number_format
from dawn.core.cli import printable
from dawn.core.code_deps import code
from dawn.core.host import cores, stated_threads, visible_gpus
from dawn.reproduction.packed import changed
from dawn.reproduction.publication import Publication
from dawn.results.provenance import here, names_of

COMMANDS = ("demo_archive", "arrays", "stats", "train", "evaluate")  # those that make a number
# Packages that compute: a version rounds, or reads an image, differently from another.
NUMERIC = re.compile(r"torch|torchvision|triton|numpy|scipy|pillow|pillow[_-]heif|nvidia-.*|cuda-.*", re.IGNORECASE)
LIBC = re.compile(r"glibc[\d.]+|musl[\d.]*")
SHOWN = 5  # files in a cell


class Difference(NamedTuple):
    """A thing that differs, as published and here; ``matters`` says that it can change a number."""

    what: str
    published: str
    here: str
    matters: bool


def differences(publication: Publication, root: Path, threads: int) -> list[Difference]:
    """Return what differs; ``threads`` are those of a training here on a CPU. Nothing is known of a table."""
    origin = publication.provenance
    if origin is None:
        return []
    now = here()
    rows = [*of_code(publication, root), *of_packages(origin["packages"], now["packages"])]
    rows.append(Difference("Python", origin["python"], now["python"], False))
    was, machine = origin["machine"], now["machine"]
    for key, matters in (("cpu", True), ("features", True), ("gpus", True), ("cores", False), ("image", False)):
        rows.append(Difference(key, text(was.get(key)), text(machine.get(key)), matters))
    before, after = ((LIBC.findall(system) or [system])[0] for system in (str(was.get("system")), machine["system"]))
    rows.append(Difference("C library", before, after, True))
    of_threads = {str(training["threads"]) for training in publication.trainings if training.get("threads")}
    rows += [Difference("threads", number, str(threads), True) for number in sorted(of_threads)]
    rows += of_training(publication, machine["gpus"] if visible_gpus() else [])
    return [row for row in rows if row.published != row.here]


def of_code(publication: Publication, root: Path) -> list[Difference]:
    """The files of the code that differ: those that make a number, and the others."""
    task = publication.experiment.declared
    files = code(COMMANDS, task.name, task.modules(publication.experiment))
    deciding = {path.relative_to(root.resolve()).as_posix() for path in files if path.is_relative_to(root.resolve())}
    other = changed(publication.sums, root)
    return [
        Difference(f"code: {some(names)}", "as packed", "as in this checkout", matters)
        for names, matters in (
            ([name for name in other if name in deciding], True),
            ([name for name in other if name not in deciding], False),
        )
        if names
    ]


def of_training(publication: Publication, gpus: list[str]) -> list[Difference]:
    """The device, the processes and the number format of a training, as far as they are known before it."""
    if not publication.trainings:
        return []
    was, experiment = publication.trainings[0], publication.experiment
    device = names_of(gpus)[0] if gpus else "cpu"
    rows = [Difference("device", str(was["device"]), device, True)]
    rows.append(Difference("processes", str(was["processes"]), str(experiment.run.processes), True))
    if getattr(experiment.main, "precision", "") == "auto":
        rows.append(
            Difference("precision", str(was["precision"]), number_format("auto", "cuda" if gpus else "cpu"), True)
        )
    return rows


def of_packages(was: Mapping[str, str], now: Mapping[str, str]) -> list[Difference]:
    """The packages of which the versions differ: each that computes, and the others in one row."""
    before, after = ({name.lower().replace("_", "-"): v for name, v in versions.items()} for versions in (was, now))
    other = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    numeric = [name for name in other if NUMERIC.fullmatch(name)]
    rows = [Difference(name, before.get(name, "none"), after.get(name, "none"), True) for name in numeric]
    rest = [name for name in other if name not in numeric]
    return rows + ([Difference(f"packages: {some(rest)}", "other versions", "", False)] if rest else [])


def some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    listed = list(names)
    more = f" and {len(listed) - SHOWN} more" if len(listed) > SHOWN else ""
    return printable(", ".join(listed[:SHOWN])) + more


def text(value: Any) -> str:
    """A value of provenance in a cell."""
    return ", ".join(value) or "none" if isinstance(value, list) else str(value) if value is not None else "none"


def same_kind(publication: Publication) -> bool:
    """Return whether the hardware here is of the published kind, so that times can be compared."""
    machine = here()["machine"]
    gpus = machine["gpus"] if visible_gpus() else []
    names = names_of(gpus) or [machine["cpu"]]
    return bool(publication.hardware) and publication.hardware in (", ".join(names), *names)


def default_threads(publication: Publication) -> int:
    """Return the threads of a training here: what the environment sets, else the published number up to the cores."""
    chosen = stated_threads(os.environ)
    if chosen.isdecimal():  # the user's own choice
        return int(chosen)
    known = [training["threads"] for training in publication.trainings if training.get("threads")]
    return min(known[0], cores()) if known else cores()
