"""Copying: are samples nearer to train images than unseen real images are?

Two answers, both from the nearest train images in the feature space of a judge. C_T of Meehan et al. (arXiv
2004.05675) compares all distances, and so moves with the quality of the samples as well. The share of copies compares
only the most suspicious images.
"""

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

from dawn.measures.estimate import Estimate, Floats, wilson
from dawn.measures.nearest import WIDTH, blocks

BLOCK = 500  # images whose distances are computed again at once
CANDIDATES = 4  # train images whose distance is computed again from differences
TAIL = 0.01  # part of the test images, those most like a train image, whose closeness a copy must exceed


def nearest(x: Floats, train: Floats) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Distances (n, 2) and indices (n, 2) of the two nearest train images to features x (n, d); train (m, d), m >= 4.

    Dot products in float32 find the candidates; their differences give the distances, exactly 0 for a copy.
    """
    centre = train.mean(0, dtype=np.float64)
    near = candidates(*((z - centre).astype(np.float32) for z in (x, train)))
    found, values = [], []
    for first in range(0, len(x), BLOCK):
        some = near[first : first + BLOCK]
        exact = np.linalg.norm(x[first : first + BLOCK, None].astype(np.float64) - train[some], axis=2)
        order = np.lexsort((some, exact), axis=1)[:, :2]
        found.append(np.take_along_axis(some, order, 1))
        values.append(np.take_along_axis(exact, order, 1))
    return np.concatenate(values), np.concatenate(found)


def candidates(x: Floats, train: Floats) -> NDArray[np.int64]:
    """Indices (n, CANDIDATES) of train images near each image: the nearest of the two nearest of every block."""
    values = np.empty((len(x), 2 * -(-len(train) // WIDTH)), np.float32)
    indices = np.empty(values.shape, np.int64)
    for rows, columns, d in blocks(x, train):
        own, place = np.arange(len(d)), 2 * (columns.start // WIDTH)
        for i in (place, place + 1):
            closest = d.argmin(1)
            values[rows, i], indices[rows, i] = d[own, closest], closest + columns.start
            d[own, closest] = np.inf
    count = min(CANDIDATES, values.shape[1])
    order = np.argpartition(values, count - 1, axis=1)[:, :count]
    return np.take_along_axis(indices, order, 1)


def c_t(samples: NDArray[np.float64], test: NDArray[np.float64]) -> Estimate:
    """C_T with one cell: the z of Mann and Whitney's test of the distances to train; far below 0 where samples copy.

    samples (n,) and test (m,) are distances to the nearest train image. z = (A - 1/2) / sqrt((n + m + 1) / (12 n m))
    with A the probability that a sample is farther than a test image, ties counting half. The variance of A is that of
    DeLong et al. (Biometrics 44, 1988), so the interval holds away from 0 as well.
    """
    n, m = len(samples), len(test)
    ranks = stats.rankdata(np.concatenate([samples, test]))
    farther = (ranks[:n] - stats.rankdata(samples)) / m  # of each sample: the part of the test images that is nearer
    nearer = 1 - (ranks[n:] - stats.rankdata(test)) / n
    unit = math.sqrt((n + m + 1) / (12 * n * m))
    area = float(farther.mean())
    parts = tuple((z - area) / math.sqrt(k * (k - 1)) / unit for z, k in ((farther, n), (nearer, m)))
    return Estimate((area - 0.5) / unit, parts, n, min(n, m) - 1)


def ratio(near: NDArray[np.float64]) -> NDArray[np.float64]:
    """Distance to the nearest train image over that to the second (n,), from (n, 2): 0 for a copy, near 1 if new.

    The ratio does not depend on how far the samples are from real images as a whole, which hides copies from C_T, nor
    on how typical they are, which looks like copying to it.
    """
    return np.divide(near[:, 0], near[:, 1], out=np.zeros(len(near)), where=near[:, 1] > 0)


def copied(samples: NDArray[np.float64], test: NDArray[np.float64]) -> dict[str, Any]:
    """Estimated percentage of copies among the samples, its interval, and the p-value of "no more than among test".

    samples (n,) and test (m,) are ``ratio``s. The threshold is the r-th smallest of test, r = 1 % of m. If samples are
    as test images are, the number of samples at or below it is that of one colour drawn before the r-th of the other:
    negative hypergeometric, so the test is exact (Rosenbaum, Annals of Mathematical Statistics 25, 1954). The
    percentage is 100 (p - q) / (1 - q), p and q the parts of both sets below it; its interval is Newcombe's for the
    difference (Statistics in Medicine 17, 1998).
    """
    n, m = len(samples), len(test)
    rank = max(1, round(TAIL * m))
    threshold = np.partition(test, rank - 1)[rank - 1]
    rank = max(rank, int((test <= threshold).sum()))  # train images again in the test split have the ratio 0
    below = int((samples <= threshold).sum())
    p, q = below / n, rank / m
    p_value = float(stats.nhypergeom.sf(below - 1, n + m, n, min(rank + (threshold == 0), m)))
    (p_low, p_high), (q_low, q_high) = (wilson(part, k, 1.959964) for part, k in ((p, n), (q, m)))
    low = p - q - math.hypot(p - p_low, q_high - q)
    high = p - q + math.hypot(p_high - p, q - q_low)
    value, low, high = (100 * part / (1 - q) for part in (p - q, low, high))
    return {"value": value, "low": low, "high": high, "n": n, "p": p_value, "images": below}
