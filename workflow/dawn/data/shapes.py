"""Drawn shapes of 32 x 32 pixels, by operations that round alike on all machines, so pixels are the same everywhere."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[Any]  # float32 throughout, which the type stubs of numpy lose sight of

SIDE = 32
HALF_ROOT = np.float32(0.70710678)


def box(x: Floats, y: Floats) -> Floats:
    """Distance from the middle, counted along the longer axis."""
    return np.maximum(np.abs(x), np.abs(y))


def plus(x: Floats, y: Floats) -> Floats:
    """Signed distance to an upright plus."""
    distance: Floats = np.maximum(np.minimum(np.abs(x), np.abs(y)) - 0.28, box(x, y) - 1.02)
    return distance


def bars(x: Floats, y: Floats) -> Floats:
    """Signed distance to three bars that lie one above the other."""
    height = np.abs(y)
    return np.maximum(np.minimum(height, np.abs(height - 0.73)) - 0.18, box(x, y) - 0.91)


# Signed distance to each shape of size 1, negative inside, y downwards. All cover about the same area.
SHAPES: dict[str, Callable[[Floats, Floats], Floats]] = {
    "disc": lambda x, y: np.sqrt(x * x + y * y) - 0.8,
    "ring": lambda x, y: np.abs(np.sqrt(x * x + y * y) - 0.89) - 0.18,
    "square": lambda x, y: box(x, y) - 0.71,
    "frame": lambda x, y: np.abs(box(x, y) - 0.84) - 0.15,
    "triangle": lambda x, y: np.maximum(0.8660254 * np.abs(x) - 0.5 * y, y) - 0.58,
    "diamond": lambda x, y: (np.abs(x) + np.abs(y) - 1) * HALF_ROOT,
    "plus": plus,
    "cross": lambda x, y: plus((x + y) * HALF_ROOT, (x - y) * HALF_ROOT),
    "bars": bars,
    "columns": lambda x, y: bars(y, x),
}


def distances(
    shape: Callable[[Floats, Floats], Floats], count: int, rng: np.random.Generator,
    sizes: tuple[float, float] = (5.5, 10), room: float = 12,
) -> Floats:  # fmt: skip
    """The signed distance of each pixel to the shape in pixels, (count, 1, 32, 32), at random size, place and tilt.

    ``sizes`` in pixels; the middle of a shape is at most ``room`` less its size away from that of the image.

    The tilt, up to 13 degrees, is a half-angle tangent: cosine and sine then need no library function.
    """
    size = uniform(rng, *sizes, count, 1, 1, 1)
    tangent = uniform(rng, -0.115, 0.115, count, 1, 1, 1)
    cosine, sine = (1 - tangent**2) / (1 + tangent**2), 2 * tangent / (1 + tangent**2)
    pixel = np.arange(SIDE, dtype=np.float32) - np.float32((SIDE - 1) / 2)
    x = (pixel[None, :] - uniform(rng, -1, 1, count, 1, 1, 1) * (np.float32(room) - size)) / size
    y = (pixel[:, None] - uniform(rng, -1, 1, count, 1, 1, 1) * (np.float32(room) - size)) / size
    return size * shape(cosine * x + sine * y, cosine * y - sine * x)


def coverage(distance: Floats) -> Floats:
    """The share of each pixel that the inside of a shape covers, by the pixel's signed distance."""
    return np.clip(0.5 - distance, 0, 1)


def uneven(count: int, rng: np.random.Generator) -> Floats:
    """Light (count, 3, 32, 32) that changes smoothly: a random 5x5 grid a channel, bilinear in between."""
    grid = uniform(rng, -0.22, 0.22, count, 3, 5, 5)
    place = np.arange(SIDE, dtype=np.float32) / 8
    left = place.astype(np.int64)
    share = place - left
    rows = grid[:, :, left] * (1 - share)[:, None] + grid[:, :, left + 1] * share[:, None]
    return rows[..., left] * (1 - share) + rows[..., left + 1] * share


def uniform(rng: np.random.Generator, low: float, high: float, *shape: int) -> Floats:
    """Uniform float32 between ``low`` and ``high``."""
    return rng.random(shape, np.float32) * np.float32(high - low) + np.float32(low)
