"""Precision, recall, density and coverage: two sets of features compared by balls around each image.

The ball of an image reaches to its k-th nearest neighbour in its own set. Precision and recall: Kynkaanniemi et al.
(arXiv 1904.06991); density and coverage: Naeem et al. (arXiv 2002.09797). Recall is the precision of the test images
in the balls of the samples.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError
from dawn.measures.balls import NAMES, Doubles, Flags, Integers, Measured, measured, tally
from dawn.measures.estimate import Estimate, Floats, Scale
from dawn.measures.kid import EXACT
from dawn.measures.nearest import blocks, within

MOST = 3000  # images of each set from which the factors of the variances are computed
SPLITS = 60  # divisions of both sets into halves for these factors
KNOWN = 10  # a fourth of the neighbours of an image that are known beyond four times those that a half needs


def manifold(samples: Floats, test: Floats, k: int) -> dict[str, Estimate]:
    """The four measures of samples (n, d) against test (m, d), whose intervals are over samples and test images.

    Images share neighbours, so they are no independent trials. Once the balls are known, the images in them are: that
    part of the variance of precision, recall and density is exact. All else is the jackknife's, times ``factors``.
    """
    if min(len(samples), len(test)) < 2 * (k + 2):
        raise InputError(
            f"{k} neighbours need {2 * k + 4} images in each set, and there are {len(samples)} samples and {len(test)} "
            "test images; lower measures.neighbours"
        )
    kind = np.float64 if max(len(samples), len(test)) <= EXACT else np.float32
    centre = test.mean(0, dtype=np.float64)
    x, y = ((z - centre).astype(kind) for z in (samples, test))
    found = dict(zip(NAMES, estimates(x, y, k), strict=True))
    recall = estimates(y, x, k)[0]
    exchanged = Estimate(recall.value, recall.parts[::-1], len(x), recall.freedom, recall.scale)
    return {"precision": found["precision"], "recall": exchanged, "density": found["density"],
            "coverage": found["coverage"]}  # fmt: skip


def estimates(x: Floats, y: Floats, k: int) -> list[Estimate]:
    """Precision, density and coverage of images x (n, d) in the balls of y (m, d)."""
    near, distances = within(y, k + 1)
    rows = ((rows, d < distances[:, k - 1], d < distances[:, k]) for rows, _, d in blocks(x, y, len(y)))
    found = measured(tally(len(x), len(y), rows), near[:, :k])
    scales: tuple[Scale, ...] = ("fraction", "positive", "fraction")
    results = []
    for each, factor, scale in zip(found, factors(x, y, k), scales, strict=True):
        part = parts(each, factor)
        results.append(Estimate(each.value, part, len(x), freedom(part), scale))
    return results


def parts(each: Measured, factor: float) -> tuple[Doubles, Doubles]:
    """Contributions of the images and of the balls to the variance, where the jackknife's is multiplied by a factor."""
    scale = np.sqrt(factor)
    return each.images * (1.0 if each.exact else scale), each.balls * scale


def freedom(contributions: Sequence[Doubles]) -> float:
    """Degrees of freedom of a variance that is the sum of squares of these contributions, times an estimated factor.

    A variance with f degrees of freedom has the relative variance 2 / f. That of a sum of squares follows from the
    variance of the squares, and is large where few images contribute most, such as neighbours of many others. The
    factor has as many degrees of freedom as there were splits.
    """
    squares = [np.square(part) for part in contributions]
    total = sum(float(each.sum()) for each in squares)
    if total == 0:
        return SPLITS
    own = sum(float(np.square(each).sum() - each.sum() ** 2 / len(each)) for each in squares) / total**2
    return 2 / (own + 2 / SPLITS)


def factors(x: Floats, y: Floats, k: int) -> list[float]:
    """The variances of the three measures over those of the jackknife, where the latter is not exact.

    The jackknife is too large for statistics of nearest neighbours: it counts the part of the variance to which c
    images contribute together c times (Efron and Stein, Annals of Statistics 9, 1981). Two halves of both sets are
    independent, so half of the squared difference of their measures is, on average, the variance at half of the images.
    Its ratio to the jackknife's at half of the images depends little on the number of images, unlike the variance.
    """
    rng = np.random.default_rng(0)
    x, y = (z[rng.permutation(len(z))[:MOST]] for z in (x, y))
    known = Known.of(x, y, k)
    variance, exact, jackknife = np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(SPLITS):
        pairs = zip(*(np.array_split(rng.permutation(len(z)), 2) for z in (x, y)), strict=True)
        both = list(zip(*(known.half(rows, columns, k) for rows, columns in pairs), strict=True))
        for i, (one, other) in enumerate(both):
            variance[i] += (one.value - other.value) ** 2 / 2
            for each in (one, other):
                by_images, by_balls = np.sum(each.images**2) / 2, np.sum(each.balls**2) / 2
                exact[i] += by_images if each.exact else 0
                jackknife[i] += by_balls if each.exact else by_images + by_balls
    return [max((v - e) / j, 0.0) if j > 0 else 1.0 for v, e, j in zip(variance, exact, jackknife, strict=True)]


@dataclass(frozen=True)
class Known:
    """The neighbours of each ball's centre (m, count), and of each image (n, m) how many of them are nearer to it."""

    near: Integers
    nearer: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, x: Floats, y: Floats, k: int) -> "Known":
        """Those of images x (n, d) and centres y (m, d), so many that k + 1 are in any half of y."""
        near, distances = within(y, min(len(y) - 1, 4 * (k + KNOWN)))
        nearer = np.zeros((len(x), len(y)), np.min_scalar_type(near.shape[1]))
        for rows, columns, d in blocks(x, y):
            for column in distances[columns].T:
                nearer[rows, columns] += d >= column
        return cls(near, nearer)

    def half(self, rows: Integers, columns: Integers, k: int) -> list[Measured]:
        """The measures of some images and some balls alone."""
        places = np.full(len(self.near), -1)
        places[columns] = np.arange(len(columns))
        near = places[self.near[columns]]
        order = np.argsort(near < 0, axis=1, kind="stable")[:, : k + 1]  # the nearest of the same half
        nearer = self.nearer[np.ix_(rows, columns)]
        counts = tally(len(rows), len(columns), halves(nearer, order[:, k - 1], order[:, k]))
        return measured(counts, np.take_along_axis(near, order[:, :k], 1))


def halves(
    nearer: NDArray[np.unsignedinteger], inner: Integers, outer: Integers
) -> Iterator[tuple[slice, Flags, Flags]]:
    """All images as one block: in a ball if no more neighbours are nearer than those of the centre that it excludes."""
    yield slice(0, len(nearer)), nearer <= inner.astype(nearer.dtype), nearer <= outer.astype(nearer.dtype)
