"""Calibration: of the images that a network classifies with a confidence of 90 %, does it get 90 % right?

``confidence`` (n,) is the largest softmax probability of each image, ``right`` (n,) 1 where that class is the label.
"""

import math

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.floating]


def binned(confidence: Floats, right: Floats, bins: int) -> tuple[Floats, Floats, Floats]:
    """Images, mean confidence and accuracy in each of ``bins`` equal bins of [0, 1]; NaN where a bin is empty."""
    bin_of = _bin_of(confidence, bins)
    count = np.bincount(bin_of, minlength=bins).astype(np.float64)
    with np.errstate(invalid="ignore"):
        mean, accuracy = (np.bincount(bin_of, values, bins) / count for values in (confidence, right))
    return count, mean, accuracy


def expected_error(confidence: Floats, right: Floats, bins: int) -> float:
    """Expected calibration error, 0 .. 1: the mean over the images of their bin's |confidence - accuracy|.

    Guo et al., arXiv 1706.04599. Biased upward, since the accuracy of a bin of few images differs from its confidence
    by chance; ``error_if_calibrated`` is what chance alone gives.
    """
    gap = np.bincount(_bin_of(confidence, bins), confidence.astype(np.float64) - right, bins)
    return float(np.abs(gap).sum() / len(confidence))


def error_if_calibrated(confidence: Floats, bins: int) -> float:
    """The mean of ``expected_error`` for a perfectly calibrated network that has these confidences p.

    The gap of a bin is then a sum of independent variables of mean 0 and variance p (1 - p), about normal, and the
    absolute value of a normal variable of mean 0 and variance v has the mean sqrt(2 v / pi).
    """
    p = confidence.astype(np.float64)
    variance = np.bincount(_bin_of(confidence, bins), p * (1 - p), bins)
    return float(np.sqrt(2 * variance / math.pi).sum() / len(p))


def _bin_of(confidence: Floats, bins: int) -> NDArray[np.int64]:
    """The bin of each image, (n,) in 0 .. bins - 1."""
    return np.clip((confidence * bins).astype(np.int64), 0, bins - 1)
