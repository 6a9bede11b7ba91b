"""The images and labels of a split, as dawn.arrays wrote them. Imports no torch."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config.records import Named
from dawn.core.array_file import IMAGES, LABELS, load_array
from dawn.core.cli import InputError
from dawn.core.reading import REMEDY, read_json


def load_split(data: Path, name: str) -> tuple[NDArray[np.uint8], NDArray[np.integer[Any]]]:
    """Images uint8 (n, h, w, 3), mapped, and labels (n,) of a split, each a class of dataset.json."""
    images, labels = load_array(data / f"{name}_images.npy", IMAGES), load_array(data / f"{name}_labels.npy", LABELS)
    classes = len(read_json(data / "dataset.json", Named)["classes"])
    if len(labels) != len(images) or not 0 <= labels.min() <= labels.max() < classes:
        raise InputError(f"{data}/{name}_labels.npy has not a class, 0 to {classes - 1}, for each of the "
                         f"{len(images)} images; {REMEDY}")  # fmt: skip
    return images, labels
