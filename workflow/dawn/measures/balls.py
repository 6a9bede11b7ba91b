"""Which images of one set are in the balls around those of another, and what changes without one of the images."""

import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Doubles = NDArray[np.float64]
Integers = NDArray[np.int64]
Flags = NDArray[np.bool_]
NAMES = ("precision", "density", "coverage")


@dataclass(frozen=True)
class Tally:
    """Of n images and m balls, each of which reaches to the k-th nearest neighbour of its centre.

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
        found, places = np.nonzero(outer[few] & ~inner[few])
        shells.append((few[found] + rows.start, places))
    gained = [np.concatenate(several) for several in zip(*shells, strict=True)]
    return Tally(balls, images, wider, ball, image, (gained[0], gained[1]))


def measured(counts: Tally, near: Integers) -> list[Measured]:
    """Precision, density and coverage, from the k nearest neighbours (m, k) of the centres of the balls."""
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
    """Of each centre (m,) the sum of what the balls gain (m,) that it is a neighbour of, if it is left out."""
    return np.asarray(np.bincount(near.ravel(), np.repeat(gain, near.shape[1]), minlength=len(near)), np.float64)


def lost(counts: Tally, near: Integers) -> Doubles:
    """Of each centre (m,) how many more images are in a ball if it is left out, mostly fewer."""
    m, k = near.shape
    only = counts.ball[counts.balls == 1]
    images, balls = counts.shells
    images, centres = np.repeat(images, k), near[balls].ravel()
    gains = (counts.balls[images] == 0) | (counts.ball[images] == centres)
    pairs = np.unique(images[gains] * m + centres[gains])  # an image that two wider balls gain is gained once
    gained = np.bincount(pairs % m, minlength=m)
    return np.asarray(gained - np.bincount(only, minlength=m), np.float64)


def mean_parts(values: Doubles) -> Doubles:
    """Contributions to the variance of the mean of independent values (n,)."""
    return np.asarray((values - values.mean()) / math.sqrt(len(values) * (len(values) - 1)))


def jackknife(left_out: Doubles) -> Doubles:
    """Contributions to the variance from the values (n,) without each image."""
    n = len(left_out)
    return np.asarray((left_out - left_out.mean()) * math.sqrt((n - 1) / n))
