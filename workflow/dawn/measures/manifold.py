"""Precision, recall, density and coverage: two sets of features compared by balls around each image.

The ball of an image reaches to its k-th nearest neighbour in its own set. Precision and recall: Kynkaanniemi et al.
(arXiv 1904.06991); density and coverage: Naeem et al. (arXiv 2002.09797). Recall is the precision of the test images
in the balls of the samples.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError
from dawn.measures.estimate import Doubles, Estimate, Floats, Scale, jackknife, mean_parts
from dawn.measures.kid import EXACT
from dawn.measures.nearest import blocks, within

SCALES: tuple[Scale, ...] = ("fraction", "positive", "fraction")
MOST = 3000  # images of each set from which the factors of the variances are computed
SPLITS = 60  # divisions of both sets into halves for these factors
KNOWN = 10  # a fourth of the neighbours of an image that are known beyond four times those that a half needs
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Tally:
    """The counts of n images and m balls, each of which reaches to the k-th nearest neighbour of its centre.

    A *wider* ball reaches to the (k+1)-th: it is the ball where one of the k neighbours is left out.
    """

    balls: Integers  # (n,): the balls that an image is in
    images: Integers  # (m,): the images in a ball
    wider: Integers  # (m,): the images in the wider ball
    ball: Integers  # (n,): the ball of an image that is in one only
    image: Integers  # (m,): the image of a ball that has one only
    shells: tuple[Integers, Integers]  # images that are in at most one ball, and the wider balls that would gain them


@dataclass(frozen=True)
class Measured:
    """A measure and its jackknife: the squares of the contributions of the images, and of the balls, sum to variances.

    ``exact``: the images are independent once the balls are known, so that their part is no jackknife's.
    """

    value: float
    images: Doubles  # (n,)
    balls: Doubles  # (m,)
    exact: bool


def tally(n: int, m: int, parts: Iterable[tuple[slice, Flags, Flags]]) -> Tally:
    """Count from rows of images: which of them (rows, m) are in each ball, and in each wider one."""
    balls, ball = np.zeros(n, np.int64), np.zeros(n, np.int64)
    images, wider, image = (np.zeros(m, np.int64) for _ in range(3))
    shells = []
    for rows, inner, outer in parts:
        balls[rows], ball[rows] = inner.sum(1), inner.argmax(1)
        held = inner.sum(0)
        image = np.where(held > 0, inner.argmax(0) + rows.start, image)
        images += held
        wider += outer.sum(0)
        few = np.flatnonzero(balls[rows] <= 1)
        places, wide = np.nonzero(outer[few] & ~inner[few])
        shells.append((few[places] + rows.start, wide))
    gained = [np.concatenate(several) for several in zip(*shells, strict=True)]
    return Tally(balls, images, wider, ball, image, (gained[0], gained[1]))


def measured(counts: Tally, near: Integers) -> list[Measured]:
    """Return precision, density and coverage, from the k nearest neighbours (m, k) of the centres of the balls."""
    n, m, k = len(counts.balls), len(near), near.shape[1]
    inside, density = (counts.balls > 0).astype(np.float64), counts.balls / k
    held = (counts.images > 0).astype(np.float64)
    fewer = -counts.images + changes(near, counts.wider - counts.images)
    uncovered = -held + changes(near, (counts.wider > 0) - held)
    alone = np.bincount(counts.image[counts.images == 1], minlength=n)
    return [
        Measured(float(inside.mean()), mean_parts(inside), jackknife(lost(counts, near) / n), True),
        Measured(float(density.mean()), mean_parts(density), jackknife(fewer / (k * n)), True),
        Measured(float(held.mean()), jackknife(-alone / m), jackknife((held.sum() + uncovered) / (m - 1)), False),
    ]


def changes(near: Integers, gain: NDArray[np.floating] | Integers) -> Doubles:
    """Return of each centre (m,) the sum of what the balls gain (m,) that it is a neighbour of, if it is left out."""
    return np.asarray(np.bincount(near.ravel(), np.repeat(gain, near.shape[1]), minlength=len(near)), np.float64)


def lost(counts: Tally, near: Integers) -> Doubles:
    """Return of each centre (m,) how many more images are in a ball if it is left out, mostly fewer."""
    m, k = near.shape
    only = counts.ball[counts.balls == 1]
    images, balls = counts.shells
    images, centres = np.repeat(images, k), near[balls].ravel()
    gains = (counts.balls[images] == 0) | (counts.ball[images] == centres)
    pairs = np.unique(images[gains] * m + centres[gains])  # an image that two wider balls gain is gained once
    gained = np.bincount(pairs % m, minlength=m)
    return np.asarray(gained - np.bincount(only, minlength=m), np.float64)


def manifold(samples: Floats, test: Floats, k: int) -> dict[str, Estimate]:
    """Return the four measures of samples (n, d) against test (m, d), whose intervals are over samples and test images.

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
    precision, density, coverage = estimates(x, y, k)
    exchanged = estimates(y, x, k)[0]
    recall = replace(exchanged, parts=exchanged.parts[::-1], n=len(x))
    return {"precision": precision, "recall": recall, "density": density, "coverage": coverage}


def estimates(x: Floats, y: Floats, k: int) -> list[Estimate]:
    """Return precision, density and coverage of images x (n, d) in the balls of y (m, d)."""
    near, distances = within(y, k + 1)
    rows = ((rows, d < distances[:, k - 1], d < distances[:, k]) for rows, _, d in blocks(x, y, len(y)))
    results = []
    measures = measured(tally(len(x), len(y), rows), near[:, :k])
    for measure, factor, scale in zip(measures, factors(x, y, k), SCALES, strict=True):
        root = np.sqrt(factor)  # of the jackknife's contributions to the variance
        parts = measure.images * (1.0 if measure.exact else root), measure.balls * root
        results.append(Estimate(measure.value, parts, len(x), freedom(parts), scale))
    return results


def freedom(contributions: Sequence[Doubles]) -> float:
    """Return the degrees of freedom of a variance: the sum of squares of contributions, times an estimated factor.

    A variance with f degrees of freedom has the relative variance 2 / f. That of a sum of squares follows from the
    variance of the squares, and is large where few images contribute most, such as neighbours of many others. The
    factor has as many degrees of freedom as there were splits.
    """
    squares = [np.square(part) for part in contributions]
    total = sum(float(square.sum()) for square in squares)
    if total == 0:
        return SPLITS
    relative = sum(float(np.square(square).sum() - square.sum() ** 2 / len(square)) for square in squares) / total**2
    return 2 / (relative + 2 / SPLITS)


def factors(x: Floats, y: Floats, k: int) -> list[float]:
    """Return the variances of the three measures over those of the jackknife, where the latter is not exact.

    The jackknife is too large for statistics of nearest neighbours: it counts the part of the variance to which c
    images contribute together c times (Efron and Stein, Annals of Statistics 9, 1981). Two halves of both sets are
    independent, so half of the squared difference of their measures is, on average, the variance at half of the images.
    Its ratio to the jackknife's at half of the images depends little on the number of images, unlike the variance.
    """
    rng = np.random.default_rng(0)
    x, y = (z[rng.permutation(len(z))[:MOST]] for z in (x, y))
    known = Known.of(x, y, k)
    variance, exact, estimated = np.zeros(3), np.zeros(3), np.zeros(3)
    for _ in range(SPLITS):
        pairs = zip(*(np.array_split(rng.permutation(len(z)), 2) for z in (x, y)), strict=True)
        both = list(zip(*(known.half(rows, columns, k) for rows, columns in pairs), strict=True))
        for i, (one, other) in enumerate(both):
            variance[i] += (one.value - other.value) ** 2 / 2
            for half in (one, other):
                by_images, by_balls = np.sum(half.images**2) / 2, np.sum(half.balls**2) / 2
                exact[i] += by_images if half.exact else 0
                estimated[i] += by_balls if half.exact else by_images + by_balls
    return [max((v - e) / j, 0.0) if j > 0 else 1.0 for v, e, j in zip(variance, exact, estimated, strict=True)]


@dataclass(frozen=True)
class Known:
    """The neighbours of each ball's centre (m, count), and of each image (n, m) how many of them are nearer to it."""

    near: Integers
    nearer: NDArray[np.unsignedinteger]

    @classmethod
    def of(cls, x: Floats, y: Floats, k: int) -> "Known":
        """Return those of images x (n, d) and centres y (m, d), so many that k + 1 are in any half of y."""
        near, distances = within(y, min(len(y) - 1, 4 * (k + KNOWN)))
        nearer = np.zeros((len(x), len(y)), np.min_scalar_type(near.shape[1]))
        for rows, columns, d in blocks(x, y):
            for column in distances[columns].T:
                nearer[rows, columns] += d >= column
        return cls(near, nearer)

    def half(self, rows: Integers, columns: Integers, k: int) -> list[Measured]:
        """Return the measures of some images and some balls alone."""
        places = np.full(len(self.near), -1)
        places[columns] = np.arange(len(columns))
        near = places[self.near[columns]]
        order = np.argsort(near < 0, axis=1, kind="stable")[:, : k + 1]  # the nearest of the same half
        nearer = self.nearer[np.ix_(rows, columns)]
        # An image is in a ball if no more neighbours are nearer to it than those of the centre that the half excludes.
        inner, outer = (nearer <= order[:, place].astype(nearer.dtype) for place in (k - 1, k))
        counts = tally(len(rows), len(columns), [(slice(0, len(rows)), inner, outer)])
        return measured(counts, np.take_along_axis(near, order[:, :k], 1))
