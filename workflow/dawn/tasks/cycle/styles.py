"""Drawn shapes in two styles, the truth of an unpaired translation: filled, and outlined in permuted colours."""

import numpy as np
from numpy.typing import NDArray

from dawn.data.shapes import SHAPES, SIDE, Floats, coverage, distances
from dawn.runtime.streams import stream

SIZES, ROOM = (9.0, 14.0), 15.0  # pixels
LINE = 3.0  # pixels, inside the shape's edge
# Outlined, the channels of an image are permuted: (b, r, g), not (r, g, b). All shapes have one colour: with a colour
# for each, translations that exchange the colours of shapes, and then the shapes, look as real as the true ones.
KINDS = ("disc", "square", "triangle")
PAINT, GROUND = (0.8, 0.2, 0.15), (0.95, 0.75, 0.45)
PERMUTED = [2, 0, 1]

Pixels = NDArray[np.uint8]


def draw_pairs(count: int, seed: int, part: str) -> tuple[Pixels, Pixels]:
    """Return ``count`` images filled, and the same images outlined, uint8 (n, 32, 32, 3) each, shapes in random order.

    Size, place and tilt are random. Colours are not: an instance norm, which both networks of a CycleGAN begin with,
    removes the contrast of an image of two colours, so no generator could keep it. ``part`` names what they are for.
    """
    random = stream(seed, "styles", part)
    kinds = random.permutation(np.arange(count) % len(KINDS))
    filled, outlined = (np.empty((count, SIDE, SIDE, 3), np.uint8) for _ in range(2))
    for kind, name in enumerate(KINDS):
        rows = np.flatnonzero(kinds == kind)
        distance = distances(SHAPES[name], len(rows), random, SIZES, ROOM)
        ground, paint = channels(GROUND), channels(PAINT)
        line = coverage(np.abs(distance + np.float32(LINE / 2)) - np.float32(LINE / 2))
        filled[rows] = painted(ground, coverage(distance), paint)
        outlined[rows] = painted(ground, line, paint)[..., PERMUTED]
    return filled, outlined


def channels(colour: tuple[float, float, float]) -> Floats:
    """Return a colour as float32 (3, 1, 1)."""
    return np.array(colour, np.float32)[:, None, None]


def painted(ground: Floats, cover: Floats, paint: Floats) -> Pixels:
    """Return images (n, 32, 32, 3) of a paint over a ground, (3, 1, 1) each, by cover (n, 1, 32, 32)."""
    pixels: Pixels = (np.clip(ground + cover * (paint - ground), 0, 1) * 255 + 0.5).astype(np.uint8)
    return pixels.transpose(0, 2, 3, 1)
