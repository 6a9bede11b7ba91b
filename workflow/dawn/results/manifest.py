"""The manifest of a seed: the choices that made its files, and the SHA-256 of each.

``dawn.evaluate`` writes ``results/manifests/N.json`` after the files of
``results/seed-N``. Whoever reads these files verifies them first, so that a file that was edited, or left by another
experiment, is refused.
"""

import json
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.core.cli import InputError
from dawn.core.files import sha256
from dawn.core.reading import read_json


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
    manifest_of_seed: dict[str, Any] = read_json(path)
    for name in manifest_of_seed["sha256"] if names is None else names:
        if sha256(seed / name) != manifest_of_seed["sha256"][name]:
            raise InputError(f"{seed / name} was changed after the evaluation: its SHA-256 is not that in {path}; "
                             "delete the file, and snakemake makes it again")  # fmt: skip
    return manifest_of_seed


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
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(length)).get("__metadata__", {})
            settings: dict[str, Any] = json.loads(metadata.get("dawn", "{}"))
    except (struct.error, ValueError) as error:
        raise InputError(f"{path} is not a safetensors file of weights ({error}); train again") from error
    return settings
