"""A random part of a split in which every class keeps its proportion."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, listed


def held_out(labels: NDArray[np.integer], classes: Sequence[str], size: int, seed: int, what: str) -> NDArray[np.bool_]:
    """Return which images, bool (n,), are among ``size`` drawn ones; ``what`` is the setting, for the message.

    Classes keep their proportions. InputError if a class would have no image left on either side.
    """
    counts = np.bincount(labels, minlength=len(classes))
    taken = proportional(counts, size)
    if short := [f"{classes[i]} ({counts[i]})" for i in np.flatnonzero((taken >= counts) | (taken == 0)).tolist()]:
        raise InputError(
            f"{what}: {size} of {len(labels)} images leave classes without images on one side: {listed(short)}; "
            f"put more images into them, move them away, or change {what}"
        )
    generator = np.random.Generator(np.random.PCG64(seed))
    held = np.zeros(len(labels), bool)
    for label, count in enumerate(taken):
        held[generator.permutation(np.flatnonzero(labels == label))[:count]] = True
    return held


def check_both(labels: NDArray[np.integer], test: NDArray[np.bool_], classes: Sequence[str], source: str) -> None:
    """InputError unless each class has an image in the train and one in the test split, which ``test`` marks."""
    for name, part in (("train", ~test), ("test", test)):
        counts = np.bincount(labels[part], minlength=len(classes))
        if missing := [classes[i] for i in np.flatnonzero(counts == 0).tolist()]:
            raise InputError(f"{source}: no {name} image of class {listed(missing)}; every class needs one")


def proportional(counts: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """``size`` divided in proportion to ``counts``, int64 (classes,), by largest remainder, first class."""
    whole, remainder = np.divmod(counts * size, counts.sum())
    largest = np.argsort(-remainder, kind="stable")[: size - whole.sum()]
    whole[largest] += 1
    return whole
