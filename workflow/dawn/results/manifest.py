"""The manifest of a seed: the choices that made its files, and the SHA-256 of each.

``dawn.evaluate`` writes ``results/manifests/N.json`` after the files of
``results/seed-N``. Whoever reads these files verifies them first, so that a file that was edited, or left by another
experiment, is refused.
"""

import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open

from dawn.config import registry
from dawn.config.experiment import Experiment
from dawn.config.records import Header, Manifest
from dawn.core.cli import InputError, quoted
from dawn.core.files import open_plain, sha256
from dawn.core.reading import from_json, read_json

TRAIN_AGAIN = "train again"


def manifest(experiment: Experiment, seed: Path) -> dict[str, Any]:
    """The manifest of the directory of a seed; an InputError where another experiment made its weights."""
    weights = seed / "model.safetensors"
    require_same_settings(weights, header(weights), choices(experiment, *experiment.trained_by))
    sums = {name: sha256(seed / name) for name in experiment.declared.seed_files}
    return {"choices": choices(experiment, *experiment.decided_by), "sha256": sums}


def location(seed: Path) -> Path:
    """Return where the manifest of ``results/seed-N`` is: ``results/manifests/N.json``."""
    return seed.parent / "manifests" / f"{seed.name.removeprefix('seed-')}.json"


def verify(seed: Path, names: Iterable[str] | None = None) -> dict[str, Any]:
    """The manifest of the directory of a seed; an InputError where one of the files ``names`` (all) differs from it."""
    path = location(seed)
    if not path.is_file():
        raise InputError(f"{seed} has no manifest {path}; finish the experiment with snakemake")
    manifest_of_seed = read(path)
    for name in manifest_of_seed["sha256"] if names is None else names:
        if sha256(seed / name) != manifest_of_seed["sha256"][name]:
            raise InputError(f"{seed / name} was changed after the evaluation: its SHA-256 is not that in {path}; "
                             "delete the file, and snakemake makes it again")  # fmt: skip
    return manifest_of_seed


def read(path: Path) -> dict[str, Any]:
    """A manifest; an InputError unless it has a checksum for each file of a seed of its task, and for no other file."""
    sums: dict[str, Any] = read_json(path, Manifest)
    files = registry.task_of(sums["choices"]).seed_files
    if wrong := sorted(sums["sha256"].keys() ^ set(files)):
        raise InputError(f"{path} is no manifest of a seed: it has {'no' if wrong[0] in files else 'a'} checksum of "
                         f"{quoted(wrong[0])}; delete it, and snakemake makes it again")  # fmt: skip
    return sums


def seed_number(seed: Path) -> int:
    """The seed whose results are in the directory ``results/seed-N``."""
    digits = seed.name.removeprefix("seed-")
    if not re.fullmatch("[0-9]{1,10}", digits):
        raise InputError(f"{seed} is no directory of a seed, such as results/seed-0")
    return int(digits)


def check(experiment: Experiment, seed: Path) -> None:
    """Refuse a seed whose manifest is of another experiment, or whose files differ from it."""
    require_same_settings(location(seed), verify(seed)["choices"], choices(experiment, *experiment.decided_by))


def require_same_settings(path: Path, made: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse unless every section of ``wanted`` is the same in ``made``."""
    for section, value in wanted.items():
        if made.get(section) != value:
            raise InputError(f"{path} was made with another {section} section than this experiment's; delete it, and "
                             "snakemake makes it again")  # fmt: skip


def choices(experiment: Experiment, *sections: str) -> dict[str, Any]:
    """The sections as plain values."""
    return experiment.model_dump(mode="json", include=set(sections))


def header(path: Path) -> dict[str, Any]:
    """The experiment in the header of a safetensors file of weights; the tensors are not read."""
    open_plain(path).close()
    try:
        with safe_open(path, "np") as file:
            text = (file.metadata() or {}).get("dawn", "{}")
    except SafetensorError as error:
        raise InputError(f"{path} is not a safetensors file of weights ({error}); {TRAIN_AGAIN}") from error
    header: dict[str, Any] = from_json(text, path, Header, TRAIN_AGAIN)
    return header
