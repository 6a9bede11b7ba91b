"""predictions.npz of a seed: what a classifier made of each test image. Imports no torch."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.core.array_file import LABELS, Kind, load_arrays
from dawn.core.cli import InputError
from dawn.core.reading import REMEDY

KINDS = {"logits": Kind(np.floating, (None, None)), "labels": LABELS}
FILES = {"files": Kind(np.str_, (None,))}


def load_predictions(source: Path | bytes, name: object, files: bool = False) -> tuple[NDArray[Any], ...]:
    """Logits (n, classes), labels int64 (n,) and, if they are asked for, the files of the images (n,).

    ``source`` is the file or its content, ``name`` that of the file in messages.
    """
    logits, labels, *paths = load_arrays(source, name, KINDS | (FILES if files else {})).values()
    if any(len(array) != len(logits) for array in (labels, *paths)):
        raise InputError(f"{name} has not a label and a file for each of {len(logits)} logits; {REMEDY}")
    if not 0 <= labels.min() <= labels.max() < logits.shape[1]:
        raise InputError(f"{name} has labels of other classes than 0 to {logits.shape[1] - 1}; {REMEDY}")
    return logits, labels.astype(np.int64), *paths
