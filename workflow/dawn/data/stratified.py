"""A random part of a split in which every class keeps its proportion."""

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError


def held_out(labels: NDArray[np.integer], classes: int, size: int, seed: int, what: str) -> NDArray[np.bool_]:
    """Which of the images, bool (n,), are among ``size`` drawn ones; ``what`` is the setting, for the message.

    Classes keep their proportions. InputError if a class would have no image left on either side.
    """
    counts = np.bincount(labels, minlength=classes)
    taken = proportional(counts, size)
    if not (taken < counts).all() or not taken.all():
        raise InputError(
            f"{what}: {size} of {len(labels)} images leave a class without images on one side; "
            f"{len(counts)} classes have {counts.min()} to {counts.max()} images"
        )
    generator = np.random.Generator(np.random.PCG64(seed))
    held = np.zeros(len(labels), bool)
    for label, count in enumerate(taken):
        held[generator.permutation(np.flatnonzero(labels == label))[:count]] = True
    return held


def proportional(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """``size`` divided in proportion to ``counts``, int64 (classes,), by largest remainder, first class."""
    whole, remainder = np.divmod(counts * size, counts.sum())
    largest = np.argsort(-remainder, kind="stable")[: size - whole.sum()]
    whole[largest] += 1
    return whole
