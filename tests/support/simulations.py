"""Intervals on simulated data: how often they hold the true value."""

from statistics import NormalDist

import numpy as np


def coverage(intervals, truth=None):
    """The part of the rows (low, value, high) that hold the truth, by default the mean of the values."""
    low, value, high = np.asarray(intervals).T
    truth = value.mean() if truth is None else truth
    return ((low <= truth) & (truth <= high)).mean()


def row(estimate):
    low, high = estimate.interval()
    return low, estimate.value, high


def gaussian(rng, n, d, shift=0.0, scale=1.0):
    return rng.standard_normal((n, d)) * scale + shift


def clusters(rng, n, scale=1.0, shift=0.0, first=0):
    """Ten clusters in 16 dimensions, without the first few of them."""
    centres = np.random.default_rng(5).standard_normal((10, 16)) * 2
    return centres[rng.integers(first, 10, n)] + gaussian(rng, n, 16, shift, scale)


def sparse(rng, n, d, zeros, shift=0.0, scale=1.0, inner=None):
    """Positive parts of normal numbers, independent or of ``inner`` dimensions, of which the part ``zeros`` is 0."""
    if inner is None:
        normal = gaussian(rng, n, d, shift, scale)
    else:
        turn = np.random.default_rng(6).standard_normal((inner, d)) / np.sqrt(inner)
        normal = gaussian(rng, n, inner, shift, scale) @ turn
    return np.maximum(normal - NormalDist().inv_cdf(zeros), 0)
