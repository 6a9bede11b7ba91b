"""Level A: the same seed trained again. Where, if anywhere, it first differs from the published training.

The places are in the order in which a training comes to them, so the first difference is where its cause is.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file

from dawn.config.task import Task
from dawn.core.array_file import load_array
from dawn.core.cli import InputError
from dawn.core.files import sha256
from dawn.core.reading import read_json
from dawn.results.curve import read_columns
from dawn.results.predictions import load_predictions

OF_CLOCK = ("seconds", "images_per_s")  # columns that no two trainings share
WEIGHTS = "model.safetensors"
DATA = "data"


@dataclass(frozen=True)
class Place:
    """A place of a training, whether both agree in it (None: not recorded), and what differs."""

    name: str
    equal: bool | None
    text: str = ""


@dataclass(frozen=True)
class Replay:
    """What a seed trained again shows."""

    seed: int
    places: tuple[Place, ...]

    @property
    def identical(self) -> bool:
        """Whether nothing differs."""
        return self.first is None

    @property
    def first(self) -> Place | None:
        """The first place that differs."""
        return next((place for place in self.places if place.equal is False), None)

    @property
    def text(self) -> str:
        """The answer in a sentence."""
        if self.first is None:
            return f"Trained again here, seed {self.seed} is bit for bit the published one: {self._agreed()}."
        where = f"{self.first.name}{f' ({self.first.text})' if self.first.text else ''}"
        return (
            f"Trained again here, seed {self.seed} is not bit for bit the published one. The first difference: {where}."
        )

    def _agreed(self) -> str:
        return ", ".join(place.name for place in self.places if place.equal)


def compare(published: Path, here: Path, task: Task) -> Replay:
    """Compare the directories of one seed; each has its metrics.json, its curve and its files."""
    was, now = (read_json(path / "metrics.json", task.training) for path in (published, here))
    places = [data(was, now), *weights(was, now), *curves(published, here, was), result(published, here)]
    return Replay(was["seed"], (*places, *evaluations(published, here, task)))


def data(was: Mapping[str, Any], now: Mapping[str, Any]) -> Place:
    """Compare the arrays and statistics that both read."""
    before, after = ((metrics.get("checksums") or {}).get("data") for metrics in (was, now))
    return files(before, after)


def files(before: Mapping[str, str] | None, after: Mapping[str, str] | None) -> Place:
    """Compare the checksums of the data, by the names of its files."""
    if not before or not after:
        return Place(DATA, None)
    other = [name for name in sorted({*before, *after}) if before.get(name) != after.get(name)]
    return Place(DATA, not other, ", ".join(other))


def weights(was: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[Place]:
    """Compare the weights along the training: at first, after the first step, after each epoch."""
    before, after = ((metrics.get("checksums") or {}).get("weights") or [] for metrics in (was, now))
    first = was.get("after_first_step"), now.get("after_first_step")
    for number, name in enumerate(("initial weights", "first step")):
        if number >= min(len(before), len(after)):
            yield Place(name, None if number == 0 or None in first else first[0] == first[1])
        elif number == 0 or before[1] != after[1]:
            yield Place(name, before[number] == after[number])
        else:
            yield Place(name, first[0] == first[1], "" if first[0] == first[1] else "of the optimizer's state alone")
    epochs = list(zip(before[2:], after[2:], strict=False))
    other = [epoch for epoch, (one, two) in enumerate(epochs, 1) if one != two]
    name = f"epoch {other[0]}" if other else "every epoch"
    yield Place(name, not other if epochs else None, f"{len(before) - 2} and {len(after) - 2} epochs"
                if len(before) != len(after) else "")  # fmt: skip


def curves(published: Path, here: Path, was: Mapping[str, Any]) -> Iterator[Place]:
    """Compare the losses of each epoch, where the weights were not recorded."""
    if was.get("checksums"):
        return
    before, after = (read_columns(path / "curve.tsv") for path in (published, here))
    for epoch, rows in enumerate(zip(before, after, strict=False), 1):
        one, two = ({name: number for name, number in row.items() if name not in OF_CLOCK} for row in rows)
        if one != two:
            yield Place(f"epoch {epoch}", False, "by its losses")
            return
    yield Place("the losses of every epoch", True)


def result(published: Path, here: Path) -> Place:
    """Compare the final weights, tensor by tensor: the settings in the files may be of other versions."""
    try:
        one, two = load_file(published / WEIGHTS), load_file(here / WEIGHTS)
    except (SafetensorError, LookupError, TypeError, ValueError) as error:  # a type that numpy lacks
        raise InputError(f"{published / WEIGHTS} cannot be read ({type(error).__name__}: {error})") from error
    names = sorted({*one, *two})
    other = [name for name in names if name not in one or name not in two or not _same(one[name], two[name])]
    return Place("final weights", not other, f"{len(other)} of {len(names)} tensors" if other else "")


def evaluations(published: Path, here: Path, task: Task) -> Iterator[Place]:
    """Compare what the evaluation made: predictions or samples, then the measures."""
    names = [name for name in task.evaluation_files if not same_file(published / name, here / name)]
    yield Place("evaluation", not names, ", ".join(names))
    one, two = (read_json(path / "evaluation.json", task.evaluation) for path in (published, here))
    other = [key for key in sorted({*one, *two} - {"seconds"}) if one.get(key) != two.get(key)]
    yield Place("measures", not other, ", ".join(other))


def same_file(one: Path, two: Path) -> bool:
    """Return whether two files of an evaluation hold the same: byte for byte, or array for array."""
    if sha256(one) == sha256(two):
        return True
    if one.suffix == ".npy":
        return _same(load_array(one), load_array(two))
    if one.suffix == ".npz":  # another version of zlib compresses otherwise
        return all(map(_same, *(load_predictions(path, path, files=True) for path in (one, two))))
    return False


def _same(one: Any, two: Any) -> bool:
    """Return whether two arrays have the same type, shape and bytes."""
    return bool(one.dtype == two.dtype and one.shape == two.shape and np.ascontiguousarray(one).tobytes()
                == np.ascontiguousarray(two).tobytes())  # fmt: skip
