"""The test images that the networks of an experiment misclassify, with their files."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from scipy.special import log_softmax, logsumexp

from dawn.core.cli import InputError
from dawn.core.files import write_table
from dawn.results.predictions import load_predictions

COLUMNS = ("path", "label", "prediction", "probability", "loss")


class Mistake(NamedTuple):
    """A misclassified test image.

    ``row`` is its place in the test split, ``label`` and ``prediction`` are positions of classes. ``probability`` is
    that of the prediction, a mean over the seeds, and ``loss`` -ln of such a mean of the label.
    """

    row: int
    path: str
    label: int
    prediction: int
    probability: float
    loss: float


def mistakes(seeds: Sequence[Path]) -> list[Mistake]:
    """The mistakes of the seeds' mean probabilities, the largest loss first."""
    paths = [seed / "predictions.npz" for seed in seeds]
    arrays = [load_predictions(path, path, files=True) for path in paths]
    (first, labels, files), *_ = arrays
    for path, (logits, *same) in zip(paths, arrays, strict=True):
        if logits.shape != first.shape or not all(map(np.array_equal, same, (labels, files))):
            raise InputError(f"{path} and {paths[0]} are of different test images; delete both to have them made again")
    logs = np.stack([log_softmax(logits.astype(np.float64), axis=1) for logits, *_ in arrays])
    mean = logsumexp(logs, axis=0) - np.log(len(seeds))
    rows = np.arange(len(labels))
    predicted, loss = mean.argmax(1), -mean[rows, labels]
    wrong = rows[predicted != labels]
    return [
        Mistake(row, str(files[row]), int(labels[row]), int(predicted[row]),
                float(np.exp(mean[row, predicted[row]])), float(loss[row]))
        for row in wrong[np.argsort(-loss[wrong], kind="stable")].tolist()
    ]  # fmt: skip


def write_mistakes(path: Path, seeds: Sequence[Path], classes: Sequence[str]) -> None:
    """Write mistakes.csv: a row for each mistake, the largest loss first."""
    rows = [
        (m.path, classes[m.label], classes[m.prediction], f"{m.probability:.6f}", f"{m.loss:.6f}")
        for m in mistakes(seeds)
    ]
    write_table(path, COLUMNS, rows, separator=",")
