"""What each seed says of each test image: the parts whose mean over the images is a measure."""

import io
from collections.abc import Iterable, Mapping

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp

from dawn.core.cli import InputError
from dawn.results.ranks import among_top
from dawn.studies.variants import Result

PER_IMAGE = ("accuracy", "top5", "loss")  # measures that are means over the images
Scores = NDArray[np.float64]
Labels = NDArray[np.int64]


class Predictions:
    """The predictions of classifiers over the same test images, each file read once.

    ``measure`` is one of ``PER_IMAGE``.
    """

    def __init__(self, results: Mapping[str, Result], measure: str) -> None:
        self.results, self.measure = results, measure
        self.labels: Labels | None = None
        self.read: dict[tuple[str, int], Scores | None] = {}

    def scores(self, name: str, seeds: Iterable[int]) -> Scores | None:
        """The measure's part of each image, (seeds, images); None if an earlier result has other test images.

        100 or 0 for an accuracy, the cross-entropy for the loss.
        """
        found = [self._seed(name, seed) for seed in seeds]
        known = [scores for scores in found if scores is not None]
        return np.stack(known) if len(known) == len(found) else None

    def _seed(self, name: str, seed: int) -> Scores | None:
        if (name, seed) not in self.read:
            logits, labels = predictions(self.results[name], seed)
            self.labels = labels if self.labels is None else self.labels
            same = np.array_equal(labels, self.labels)
            self.read[name, seed] = of_images(logits, labels, self.measure) if same else None
        return self.read[name, seed]


def predictions(result: Result, seed: int) -> tuple[NDArray[np.float32], Labels]:
    """Logits (images, classes) and labels (images,) of a seed."""
    if (content := result.content_of(f"seed-{seed}/predictions.npz")) is None:
        raise InputError(f"{result.name} has no seed-{seed}/predictions.npz; finish it with snakemake")
    with np.load(io.BytesIO(content)) as arrays:
        return arrays["logits"], arrays["labels"].astype(np.int64)


def of_images(logits: NDArray[np.float32], labels: Labels, measure: str) -> Scores:
    """The measure's part of each image, (images,)."""
    rows = np.arange(len(labels))
    if measure == "loss":
        exact = logits.astype(np.float64)
        return np.asarray(logsumexp(exact, axis=1) - exact[rows, labels])
    if measure == "accuracy":
        return np.where(logits.argmax(1) == labels, 100.0, 0.0)
    return np.where(among_top(logits, labels), 100.0, 0.0)
