"""Squared distances of images in a feature space, in blocks, and the nearest images."""

from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from dawn.measures.estimate import Floats

BLOCK, WIDTH = 500, 1000  # rows and columns of the matrix of distances at once
SEARCHED = 4000  # columns at once where only the nearest remain


def blocks(x: Floats, y: Floats, width: int = WIDTH) -> Iterator[tuple[slice, slice, Floats]]:
    """Yield blocks of squared Euclidean distances of x (n, d) and y (m, d): rows, columns, distances (rows, columns).

    One product of matrices makes them: (-2 x, |x|^2, 1) . (y, 1, |y|^2). Rounding may make one slightly negative.
    """
    left, right = factors(x, y)
    for first in range(0, len(x), BLOCK):
        rows = slice(first, min(first + BLOCK, len(x)))
        for start in range(0, len(y), width):
            columns = slice(start, min(start + width, len(y)))
            yield rows, columns, left[rows] @ right[columns].T


def factors(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """Return matrices (n, d + 2) and (m, d + 2) whose product is that of the squared distances."""
    left, right = (np.empty((len(z), z.shape[1] + 2), z.dtype) for z in (x, y))
    left[:, :-2], left[:, -2], left[:, -1] = -2 * x, np.einsum("nd,nd->n", x, x), 1
    right[:, :-2], right[:, -2], right[:, -1] = y, 1, np.einsum("md,md->m", y, y)
    return left, right


def closest(versions: Sequence[Floats], y: Floats, count: int) -> NDArray[np.int64]:
    """Return indices (n, count) of the images y (m, d) nearest to any version (n, d) of each image, in no order.

    The distances are those of float32, so almost equal ones may be exchanged.
    """
    pairs = [factors(version, y) for version in versions]
    right, nearest = pairs[0][1], []
    for first in range(0, len(versions[0]), BLOCK):
        lefts = [left[first : first + BLOCK] for left, _ in pairs]
        places = np.empty((len(lefts[0]), 0), np.int64)
        values = np.empty(places.shape, y.dtype)
        for start in range(0, len(y), SEARCHED):
            d = lefts[0] @ right[start : start + SEARCHED].T
            for left in lefts[1:]:
                np.minimum(d, left @ right[start : start + SEARCHED].T, out=d)
            near = smallest(d, count)
            places = np.hstack([places, near + start])
            values = np.hstack([values, np.take_along_axis(d, near, 1)])
        nearest.append(np.take_along_axis(places, smallest(values, count), 1))
    return np.concatenate(nearest)


def smallest(d: Floats, count: int) -> NDArray[np.int64]:
    """Return columns (n, count) of the smallest values of each row, in no order; all columns if there are no more."""
    if d.shape[1] <= count:
        return np.broadcast_to(np.arange(d.shape[1]), d.shape)
    return np.argpartition(d, count - 1, axis=1)[:, :count]


def within(x: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """Return the ``count`` nearest other images of each image of a set (n, d), nearest first, and squared distances."""
    indices, distances = np.empty((len(x), count), np.int64), np.empty((len(x), count), x.dtype)
    for rows, _, d in blocks(x, x, len(x)):
        itself = np.arange(rows.start, rows.stop)
        d[itself - rows.start, itself] = np.inf
        near = smallest(d, count)
        values = np.take_along_axis(d, near, 1)
        order = np.argsort(values, axis=1, kind="stable")
        indices[rows], distances[rows] = np.take_along_axis(near, order, 1), np.take_along_axis(values, order, 1)
    return indices, distances
