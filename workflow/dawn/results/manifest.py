"""What a seed's files were made by, and the checksum of each, so that no one gathers files that do not belong."""

import json
import struct
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.core.cli import InputError
from dawn.core.files import read_json, sha256

TRAINED = ("data", "model", "train")  # the sections that made the weights, as their header has them
CHOICES = (*TRAINED, "evaluate")
FILES = ("confusion.csv", "curve.tsv", "evaluation.json", "metrics.json", "model.safetensors", "predictions.npz")


def manifest(experiment: Experiment, seed: Path) -> dict[str, Any]:
    """The manifest of a seed's directory; a InputError where its weights come from another experiment."""
    weights = seed / "model.safetensors"
    same(weights, header(weights), choices(experiment, *TRAINED))
    return {"choices": choices(experiment, *CHOICES), "sha256": {name: sha256(seed / name) for name in FILES}}


def check(experiment: Experiment, seed: Path, manifests: Path) -> None:
    """Refuse a seed's directory whose manifest is of another experiment, or whose files are not those sealed."""
    path = manifests / f"{seed.name.removeprefix('seed-')}.json"
    sealed = read_json(path)
    same(path, sealed["choices"], choices(experiment, *CHOICES))
    for name, digest in sealed["sha256"].items():
        if sha256(seed / name) != digest:
            raise InputError(
                f"{seed / name} is not the file that was sealed in {path}; delete it to have it made again"
            )


def same(path: Path, made: dict[str, Any], wanted: dict[str, Any]) -> None:
    """Refuse unless ``made`` has every section of ``wanted`` alike."""
    for section, value in wanted.items():
        if made.get(section) != value:
            raise InputError(f"{path} was made by another {section} section than this experiment's; delete it to have "
                          "it made again")  # fmt: skip


def choices(experiment: Experiment, *sections: str) -> dict[str, Any]:
    """The sections as plain values."""
    return experiment.model_dump(mode="json", include=set(sections))


def header(path: Path) -> dict[str, Any]:
    """What the header of a safetensors file says of the experiment; the tensors are not read."""
    try:
        with path.open("rb") as file:
            (length,) = struct.unpack("<Q", file.read(8))
            metadata = json.loads(file.read(length)).get("__metadata__", {})
            found: dict[str, Any] = json.loads(metadata.get("dawn", "{}"))
    except (struct.error, ValueError) as error:
        raise InputError(f"{path} is not a safetensors file of weights ({error}); train again") from error
    return found
