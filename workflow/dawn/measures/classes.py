"""Which classes the judge sees in the samples, and whether they are the classes that were asked for."""

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.measures.estimate import Estimate, Floats, mean

Labels = NDArray[np.integer[Any]]


def class_accuracy(logits: Floats, labels: Labels) -> Estimate:
    """The part of the samples whose most likely class by logits (n, classes) is the one they were made for, (n,)."""
    return mean((logits.argmax(1) == labels).astype(np.float64), "fraction")


def histogram(logits: Floats) -> list[Estimate]:
    """Return of each class the part of the samples whose most likely class it is."""
    predicted = logits.argmax(1)
    return [mean((predicted == i).astype(np.float64), "fraction") for i in range(logits.shape[1])]


def entropy(logits: Floats) -> Estimate:
    """The entropy in nats of the class histogram, log(classes) if uniform; the interval is the delta method's."""
    predicted, shares = _shares(logits)
    information = -np.log(np.where(shares > 0, shares, 1))
    return _linear(float(shares @ information), information[predicted])


def total_variation(logits: Floats) -> Estimate:
    """Return half of the sum of |part - 1 / classes|: the part of the samples in another class than in a uniform set.

    The interval is the delta method's. Near 0 the expected value at n samples is above 0, as the reference shows.
    """
    predicted, shares = _shares(logits)
    slope = np.sign(shares - 1 / len(shares)) / 2
    return _linear(float(np.abs(shares - 1 / len(shares)).sum() / 2), slope[predicted])


def _shares(logits: Floats) -> tuple[Labels, NDArray[np.float64]]:
    predicted = logits.argmax(1)
    return predicted, np.bincount(predicted, minlength=logits.shape[1]) / len(logits)


def _linear(value: float, slopes: Floats) -> Estimate:
    """Return an estimate whose derivative by the part of each image's class is known, (n,): the delta method."""
    return replace(mean(slopes), value=value)
