"""Precision, recall, density and coverage: two sets of features compared by balls around each image.

The ball of an image reaches to its k-th nearest neighbour in its own set. Precision and recall: Kynkaanniemi et al.
(arXiv 1904.06991); density and coverage: Naeem et al. (arXiv 2002.09797).
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError
from dawn.measures.estimate import Estimate, Floats, mean
from dawn.measures.kid import EXACT

NAMES = ("precision", "recall", "coverage")
BLOCK, WIDTH = 500, 1000  # rows and columns of the matrix of distances at once
GROUPS, REPEATS = 3, 4  # groups of images whose spread gives the variance, and divisions into them


def manifold(samples: Floats, test: Floats, k: int) -> dict[str, Estimate]:
    """The four measures of samples (n, d) against test (m, d).

    Images share neighbours, so they are no independent trials, and leaving one out at a time misjudges statistics of
    nearest neighbours. For precision, recall and coverage both sets are divided at random into groups, several times;
    the variance of the measure over the pairs of groups, compared with that of independent trials, is the design effect
    (Kish, Survey Sampling, 1965), and all images count as the number of independent trials divided by it. Density has
    no such bound: its interval is over the samples, each of which is in so many balls of this test set.
    """
    (values, inside), parts = measures(samples, test, k), spread(samples, test, k)
    estimates = {}
    for i, (name, group) in enumerate(zip(NAMES, parts, strict=True)):
        part = group * math.sqrt(values[i] * (1 - values[i]))
        estimates[name] = Estimate(float(values[i]), (part,), len(samples), len(part) - REPEATS, "fraction")
    return estimates | {"density": mean(inside / k, "positive")}


def spread(samples: Floats, test: Floats, k: int) -> NDArray[np.float64]:
    """Deviations of precision, recall and coverage of groups (3, groups), in units of one trial's standard deviation.

    Their sum of squares is the variance of the measure of all images over p (1 - p).
    """
    count = min(GROUPS, min(len(samples), len(test)) // (k + 1))
    if count < 2:
        raise InputError(
            f"{k} neighbours need {2 * k + 2} images in each set, and there are {len(samples)} samples and {len(test)} "
            "test images; lower measures.neighbours"
        )
    rng, parts, means = np.random.default_rng(0), [], []
    for _ in range(REPEATS):
        split = [np.array_split(rng.permutation(len(z)), count) for z in (samples, test)]
        groups = np.array([measures(samples[a], test[b], k)[0] for a, b in zip(*split, strict=True)])
        parts.append((groups - groups.mean(0)) / math.sqrt(count * (count - 1) * REPEATS))
        means.append(groups.mean(0))
    mean_ = np.mean(means, axis=0)
    unit = np.sqrt(mean_ * (1 - mean_))
    return np.asarray(np.divide(np.concatenate(parts), unit, out=np.zeros((count * REPEATS, 3)), where=unit > 0).T)


def measures(samples: Floats, test: Floats, k: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Precision, recall and coverage, and of each sample (n,) the number of balls of test that it is in."""
    kind = np.float64 if max(len(samples), len(test)) <= EXACT else np.float32
    centre = test.mean(0, dtype=np.float64)
    x, y = ((z - centre).astype(kind) for z in (samples, test))
    of_x, of_y = radii(x, k), radii(y, k)
    inside, near, recalled = np.zeros(len(x), np.int64), np.full(len(y), np.inf), np.zeros(len(y), bool)
    for rows, columns, d in blocks(x, y):
        inside[rows] += (d < of_y[columns]).sum(1)
        recalled[columns] |= (d < of_x[rows, None]).any(0)
        near[columns] = np.minimum(near[columns], d.min(0))
    return np.array([(inside > 0).mean(), recalled.mean(), (near < of_y).mean()]), inside


def radii(x: Floats, k: int) -> Floats:
    """Squared distance (n,) of each image to its k-th nearest neighbour in the set."""
    found = []
    for rows, _, d in blocks(x, x, len(x)):
        own = np.arange(rows.start, rows.stop)
        d[own - rows.start, own] = np.inf
        found.append(np.partition(d, k - 1, axis=1)[:, k - 1])
    return np.concatenate(found)


def blocks(x: Floats, y: Floats, width: int = WIDTH) -> Iterator[tuple[slice, slice, Floats]]:
    """Blocks of the squared Euclidean distances of x (n, d) and y (m, d): rows, columns, distances (rows, columns).

    One product of matrices makes them: (-2 x, |x|^2, 1) . (y, 1, |y|^2). Rounding may make one slightly negative.
    """
    left, right = (np.empty((len(z), z.shape[1] + 2), z.dtype) for z in (x, y))
    left[:, :-2], left[:, -2], left[:, -1] = -2 * x, np.einsum("nd,nd->n", x, x), 1
    right[:, :-2], right[:, -2], right[:, -1] = y, 1, np.einsum("md,md->m", y, y)
    for first in range(0, len(x), BLOCK):
        rows = slice(first, min(first + BLOCK, len(x)))
        for start in range(0, len(y), width):
            columns = slice(start, min(start + width, len(y)))
            yield rows, columns, left[rows] @ right[columns].T
