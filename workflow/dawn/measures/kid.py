"""KID-judge: the kernel distance of two sets of features, without bias at any number of images.

The squared maximum mean discrepancy with the kernel k(x, y) = (x . y / d + 1)^3 of Binkowski et al. (arXiv 1801.01401),
by the U-statistic of Gretton et al. (JMLR 13, 2012, lemma 6) over all images. Memory is bounded: the kernel matrix is
made in blocks, of which only sums of rows and columns remain.
"""

import math

import numpy as np

from dawn.measures.estimate import Doubles, Estimate, Floats, jackknife, spaced

BLOCK, WIDTH = 500, 1000  # rows and columns of the kernel matrix at once, few enough for a cache
EXACT = 2000  # images up to which the kernel is computed in float64; beyond, in float32 with sums in float64
SECOND = 1000  # images for the small second-order term of the variance


def kid(x: Floats, y: Floats, within_y: Doubles | None = None) -> Estimate:
    """The distance of features x (n, d) and y (m, d); n, m >= 4. It may be below 0, as an unbiased estimate of 0 must.

    ``within_y``: what ``own_sums(y)`` returned, where several sets are compared with y.

    The variance is the jackknife's over the images of both sets: leaving one out changes sums that are known, so no
    kernel is computed twice. The jackknife counts the second-order part of a U-statistic's variance twice (Efron and
    Stein, Annals of Statistics 9, 1981), which matters where x and y are alike; that part is subtracted once.
    """
    x, y = scaled(x, max(len(x), len(y))), scaled(y, max(len(x), len(y)))
    across_x, across_y = cross_sums(x, y)
    within_y = row_sums(y) if within_y is None else within_y
    return combined(row_sums(x), within_y, across_x, across_y, second_order(x, y))


def own_sums(y: Floats) -> Doubles:
    """Return of each image of features (m, d) the sum of the kernel over the other images of the set (m,)."""
    return row_sums(scaled(y, len(y)))


def combined(xx: Doubles, yy: Doubles, xy: Doubles, yx: Doubles, second: float) -> Estimate:
    """The estimate from sums over the rest of the set, xx (n,) and yy (m,), and over the other one, xy and yx."""
    n, m = len(xx), len(yy)
    value = xx.sum() / (n * (n - 1)) + yy.sum() / (m * (m - 1)) - 2 * xy.sum() / (n * m)
    parts = tuple(
        jackknife((within.sum() - 2 * within) / ((k - 1) * (k - 2)) - 2 * (across.sum() - across) / ((k - 1) * other))
        for within, across, k, other in ((xx, xy, n, m), (yy, yx, m, n))
    )
    return Estimate(float(value), parts, n, min(n, m) - 1, "squared", second)


def scaled(x: Floats, images: int) -> Floats:
    """Divide features by sqrt(d), so that a dot product is x . y / d, in the precision for so many images."""
    kind = np.float64 if images <= EXACT else np.float32
    return np.asarray(x / kind(math.sqrt(x.shape[1])), kind)


def kernel(x: Floats, y: Floats) -> Floats:
    """Return the kernel matrix (n, m) of scaled features."""
    k: Floats = x @ y.T
    k += 1
    square = k * k
    square *= k
    return square


def row_sums(x: Floats) -> Doubles:
    """Sum over the other images of the set, (n,); the matrix is symmetric, so half of it is computed."""
    sums = np.zeros(len(x))
    for first in range(0, len(x), BLOCK):
        rows = x[first : first + BLOCK]
        k = kernel(rows, rows)
        np.fill_diagonal(k, 0)
        sums[first : first + BLOCK] += k.sum(1, dtype=np.float64)
        right, below = cross_sums(rows, x[first + BLOCK :])
        sums[first : first + BLOCK] += right
        sums[first + BLOCK :] += below
    return sums


def cross_sums(x: Floats, y: Floats) -> tuple[Doubles, Doubles]:
    """Sum over the other set: (n,) and (m,)."""
    rows, columns = np.zeros(len(x)), np.zeros(len(y))
    for first in range(0, len(x), BLOCK):
        for left in range(0, len(y), WIDTH):
            k = kernel(x[first : first + BLOCK], y[left : left + WIDTH])
            rows[first : first + BLOCK] += k.sum(1, dtype=np.float64)
            columns[left : left + WIDTH] += k.sum(0, dtype=np.float64)
    return rows, columns


def second_order(x: Floats, y: Floats) -> float:
    """Return the second-order part of the variance, from evenly spaced images.

    With s the mean square of the doubly centred kernel, it is 2 s_xx / (n (n - 1)) + 2 s_yy / (m (m - 1)) + 4 s_xy /
    (n m): Hoeffding's decomposition.
    """
    n, m = len(x), len(y)
    x, y = (z[spaced(len(z), SECOND)].astype(np.float64) for z in (x, y))
    within = [mean_square(kernel(z, z), True) / (k * (k - 1)) for z, k in ((x, n), (y, m))]
    return 2 * sum(within) + 4 * mean_square(kernel(x, y), False) / (n * m)


def mean_square(k: Floats, symmetric: bool) -> float:
    """Return the mean square of the interaction of a kernel matrix, without the diagonal if it is symmetric."""
    if symmetric:
        n = len(k)
        k = k - np.diag(np.diag(k))
        rows, total = k.sum(1) / (n - 2), k.sum() / ((n - 1) * (n - 2))
        centred = k - rows[:, None] - rows[None, :] + total
        np.fill_diagonal(centred, 0)
        return float(np.sum(centred**2) / (n * max(n - 3, 1)))
    n, m = k.shape
    centred = k - k.mean(1, keepdims=True) - k.mean(0, keepdims=True) + k.mean()
    return float(np.sum(centred**2) / ((n - 1) * (m - 1)))
