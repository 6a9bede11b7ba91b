"""Precision, recall, density and coverage: two sets of features compared by balls around each image.

The ball of an image reaches to its k-th nearest neighbour in its own set. Precision and recall: Kynkaanniemi et al.
(arXiv 1904.06991); density and coverage: Naeem et al. (arXiv 2002.09797).
"""

import math

import numpy as np
from numpy.typing import NDArray

from dawn.measures.estimate import Estimate, Floats, Scale
from dawn.measures.kid import EXACT

NAMES: tuple[tuple[str, Scale], ...] = (
    ("precision", "fraction"), ("recall", "fraction"), ("density", "positive"), ("coverage", "fraction"),
)  # fmt: skip
BLOCK = 500  # rows of the matrix of distances at once
GROUPS = 20  # groups of images whose spread gives the variance


def manifold(samples: Floats, test: Floats, k: int) -> dict[str, Estimate]:
    """The four measures of samples (n, d) against test (m, d), each with a variance over the images of both sets.

    Images share neighbours, so they are no independent trials, and leaving one out at a time misjudges statistics of
    nearest neighbours. Both sets are therefore divided at random into groups; the measures of a pair of groups depend
    on the ratio of the densities as those of all images do, and the spread over the g pairs, divided by g, is the
    variance. Student's quantile has g - 1 degrees of freedom.
    """
    values = measures(samples, test, k)
    count = max(2, min(GROUPS, min(len(samples), len(test)) // (4 * k)))
    split = [np.array_split(np.random.default_rng(0).permutation(len(z)), count) for z in (samples, test)]
    groups = np.array([measures(samples[a], test[b], k) for a, b in zip(*split, strict=True)])
    parts = (groups - groups.mean(0)) / math.sqrt(count * (count - 1))
    return {
        name: Estimate(float(values[i]), (parts[:, i],), len(samples), count - 1, scale)
        for i, (name, scale) in enumerate(NAMES)
    }


def measures(samples: Floats, test: Floats, k: int) -> NDArray[np.float64]:
    """Precision, recall, density, coverage."""
    if min(len(samples), len(test)) <= k:
        raise ValueError(f"{k} neighbours need more than {min(len(samples), len(test))} images in each set")
    kind = np.float64 if max(len(samples), len(test)) <= EXACT else np.float32
    centre = test.mean(0, dtype=np.float64)
    x, y = ((z - centre).astype(kind) for z in (samples, test))
    of_x, of_y = radii(x, k), radii(y, k)
    inside, near = np.zeros(len(x), np.int64), np.full(len(y), np.inf)
    recalled = np.zeros(len(y), bool)
    for first in range(0, len(x), BLOCK):
        d = distances(x[first : first + BLOCK], y)
        inside[first : first + len(d)] = (d < of_y).sum(1)
        recalled |= (d < of_x[first : first + len(d), None]).any(0)
        np.minimum(near, d.min(0), out=near)
    return np.array([(inside > 0).mean(), recalled.mean(), inside.mean() / k, (near < of_y).mean()])


def radii(x: Floats, k: int) -> Floats:
    """Squared distance (n,) of each image to its k-th nearest neighbour in the set."""
    found = []
    for first in range(0, len(x), BLOCK):
        d = distances(x[first : first + BLOCK], x)
        rows = np.arange(len(d))
        d[rows, first + rows] = np.inf
        found.append(np.partition(d, k - 1, axis=1)[:, k - 1])
    return np.concatenate(found)


def distances(x: Floats, y: Floats) -> Floats:
    """Squared Euclidean distances (n, m)."""
    d: Floats = x @ y.T
    d *= -2
    d += np.einsum("nd,nd->n", x, x)[:, None]
    d += np.einsum("md,md->m", y, y)
    return np.maximum(d, 0, out=d)
