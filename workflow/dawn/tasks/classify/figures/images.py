"""Grids of images: the augmented training images, the mistakes, the filters of the first layer."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.numbers import count
from dawn.report.style import figure, heading

Pixels = NDArray[Any]  # (..., h, w, 3), uint8 or floats in [0, 1]


def show(axes: Axes, pixels: Pixels, below: str = "") -> None:
    """One image (h, w, 3) without axes, its pixels square and sharp, a caption beneath."""
    axes.imshow(pixels, interpolation="nearest")
    axes.set(xticks=[], yticks=[])
    axes.grid(False)
    axes.spines[:].set_visible(False)
    axes.set_xlabel(below, fontsize=8, labelpad=3)


def grid(images: Sequence[Pixels], texts: Sequence[str], columns: int, cell: tuple[float, float]) -> Figure:
    """The images in rows of ``columns``, each with its text beneath; ``cell``: width and height of one in inches."""
    rows = max(1, math.ceil(len(images) / columns))
    picture = figure(cell[0] * columns + 0.4, cell[1] * rows + 0.8)
    places = picture.subplots(rows, columns, squeeze=False)
    for axes in places.flat[len(images) :]:
        axes.set_axis_off()
    for axes, pixels, text in zip(places.flat, images, texts, strict=False):
        show(axes, pixels, text)
    return picture


def sheet(originals: Pixels, seen: Sequence[Pixels], names: Sequence[str], settings: str) -> Figure:
    """A row for each image: the original, (n, h, w, 3), then an array (n, size, size, 3) for each epoch."""
    rows, columns = len(originals), len(seen)
    picture = figure(0.9 * (columns + 1) + 0.9, 0.9 * rows + 1.2)
    places = picture.subplots(rows, columns + 1, squeeze=False)
    for row, line in enumerate(places):
        for column, axes in enumerate(line):
            show(axes, seen[column - 1][row] if column else originals[row])
            if row == 0:
                axes.set_title(f"epoch {column}" if column else "original", fontsize=9, fontweight="normal")
        line[0].set_ylabel(names[row], rotation=0, ha="right", va="center", fontsize=9)
    heading(picture, "Training images after augmentation", settings)
    return picture


def misclassified(images: Pixels, texts: Sequence[str], wrong: int, total: int, seeds: int) -> Figure:
    """The images (n, h, w, 3) that were misclassified with most confidence, the most confident first."""
    picture = grid(list(images), texts, 6, (1.5, 2.0))
    whose = f"Mean probabilities of {count(seeds, 'seed')}." if seeds > 1 else "1 seed."
    shown = f" The {len(images)} most confident mistakes, in order." if len(images) < wrong else ""
    heading(picture, f"{wrong:,} of {count(total, 'test image')} misclassified", whose + shown)
    return picture


def filters(weights: NDArray[np.floating[Any]], seed: int) -> Figure:
    """The first layer's filters (n, 3, h, w) as colours: grey is zero, each scaled by its own largest weight."""
    n, _, height, width = weights.shape
    scale = np.maximum(np.abs(weights).max((1, 2, 3), keepdims=True), 1e-12)
    pixels = (0.5 + 0.5 * weights / scale).transpose(0, 2, 3, 1)
    picture = grid(list(pixels), [""] * n, min(16, max(8, math.ceil(math.sqrt(2 * n)))), (0.62, 0.62))
    heading(picture, f"Filters of the first layer: {n}, {height} x {width} pixels, seed {seed}")
    return picture
