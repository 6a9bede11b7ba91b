"""Squared distances of images in a feature space, in blocks, and the nearest images."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from dawn.measures.estimate import Floats

BLOCK, WIDTH = 500, 1000  # rows and columns of the matrix of distances at once


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


def within(x: Floats, count: int) -> tuple[NDArray[np.int64], Floats]:
    """The ``count`` nearest other images of each image of one set (n, d), the nearest first, and squared distances."""
    indices, distances = np.empty((len(x), count), np.int64), np.empty((len(x), count), x.dtype)
    for rows, _, d in blocks(x, x, len(x)):
        own = np.arange(rows.start, rows.stop)
        d[own - rows.start, own] = np.inf
        near = np.argpartition(d, count - 1, axis=1)[:, :count]
        found = np.take_along_axis(d, near, 1)
        order = np.argsort(found, axis=1, kind="stable")
        indices[rows], distances[rows] = np.take_along_axis(near, order, 1), np.take_along_axis(found, order, 1)
    return indices, distances
