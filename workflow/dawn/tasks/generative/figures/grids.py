"""Grids of generated images: by class, along the training, between latents, and next to their nearest train images.

A pixel of an image covers a whole number of pixels of the figure: resampled images would show patterns of their own.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.style import DPI, figure

Images = NDArray[np.uint8]  # (rows, columns, h, w, 3)
GAP = 2  # white pixels between two images
LARGEST = 1300  # pixels of a figure that a grid may be wide or high
ROWS = 12  # of images along the training


def mosaic(images: Images, gap: int = GAP) -> NDArray[np.uint8]:
    """One image of all, with white gaps: (rows, columns, h, w, 3) to (rows (h + gap) - gap, ..., 3)."""
    rows, columns, h, w, channels = images.shape
    whole = np.full((rows * (h + gap), columns * (w + gap), channels), 255, np.uint8)
    for row, column in np.ndindex(rows, columns):
        y, x = row * (h + gap), column * (w + gap)
        whole[y : y + h, x : x + w] = images[row, column]
    return whole[: -gap or None, : -gap or None]


def grid(
    images: Images, rows: Sequence[str], columns: Sequence[str], title: str, below: str, right: Sequence[str] = ()
) -> Figure:
    """The images with a text at each row's left, and right if there are any, and above each column."""
    left, margin = label_width(rows), label_width(right)
    whole = mosaic(images)
    scale = min(3, max(1, LARGEST // max(whole.shape[:2])))
    height, width = (scale * side / DPI for side in whole.shape[:2])
    top = 0.6 + 0.22 * any(columns)
    picture = figure(max(left + width + margin, 0.064 * len(below)), height + top + 0.1)
    picture.set_layout_engine("none")
    w, h = picture.get_size_inches()
    axes = picture.add_axes((left / w, 0.1 / h, width / w, height / h))
    axes.imshow(np.kron(whole, np.ones((scale, scale, 1), np.uint8)), interpolation="nearest", aspect="auto")
    axes.grid(False)
    axes.spines[:].set_visible(False)
    steps = [scale * (side + GAP) for side in images.shape[2:4]]
    axes.set_yticks([(i + 0.5) * steps[0] for i in range(len(rows))], rows, fontsize=9)
    for i, text in enumerate(right):
        axes.text(1.01, 1 - (i + 0.5) / len(right), text, va="center", fontsize=9, transform=axes.transAxes)
    axes.set_xticks([(i + 0.5) * steps[1] for i in range(len(columns))], columns, fontsize=8)
    axes.tick_params(length=0, top=False, labeltop=True, bottom=False, labelbottom=False)
    picture.text(0.01, 1 - 8 / (72 * h), title, va="top", fontsize=11, fontweight="bold")
    picture.text(0.01, 1 - 24 / (72 * h), below, va="top", fontsize=9, color="0.25")
    return picture


def by_class(
    images: NDArray[np.uint8], labels: NDArray[np.integer[Any]], classes: Sequence[str], whose: str, title: str
) -> Figure:
    """The first samples of each class in the order in which they were drawn, with each class's fraction of all.

    ``images`` (n, h, w, 3); ``labels`` (n,); ``whose`` says what the class of an image is.
    """
    columns, blank = columns_of(images), np.full(images.shape[1:], 255, np.uint8)
    shown = np.tile(blank, (len(classes), columns, 1, 1, 1))
    counts = np.bincount(labels, minlength=len(classes))
    for row in range(len(classes)):
        first = np.flatnonzero(labels == row)[:columns]
        shown[row, : len(first)] = images[first]
    rows = [f"{name}  {100 * n / len(labels):.1f} %" for name, n in zip(classes, counts, strict=True)]
    below = f"The first {columns} of each class in the order drawn, none selected. Class: the one {whose}."
    return grid(shown, rows, (), title, below)


def along_training(
    images: Images, epochs: Sequence[float], title: str, below: str = "Each column is the image of one latent vector."
) -> Figure:
    """A row of samples for each kept epoch, the same latents in each; ``images`` (epochs, latents, h, w, 3)."""
    n = len(epochs)
    rows = np.unique(np.linspace(0, n - 1, min(n, ROWS)).round().astype(int))
    names = [f"epoch {epochs[row]:g}" for row in rows]
    return grid(images[rows, : columns_of(images)], names, (), title, below)


def between_latents(images: Images, title: str) -> Figure:
    """Each row passes from one latent vector to another; ``images`` (pairs, steps, h, w, 3)."""
    steps = images.shape[1]
    columns = [f"{i / (steps - 1):.2f}" for i in range(steps)]
    return grid(images, (), columns, title, "From the latent vector at 0 to that at 1, on the arc between them.")


def next_to_train(
    samples: NDArray[np.uint8], train: Images, numbers: Sequence[int], ratios: Sequence[float], title: str
) -> Figure:
    """Each sample, then the train images that are nearest to it, in two blocks of n rows.

    ``samples`` (2 n, h, w, 3): the first n that were drawn, then the n most like a single train image, and their
    ``numbers`` among all; ``train`` (2 n, k, h, w, 3). A ratio is the distance to the nearest train image over that to
    the nearest other one, of thumbnails.
    """
    n, k = len(samples) // 2, train.shape[1]
    blank = np.full(samples.shape[1:], 255, np.uint8)
    tiles = np.insert(np.insert(train, 0, blank, axis=1), 0, samples, axis=1)
    whole = np.concatenate([np.insert(tiles[:n], k + 2, blank, axis=1), tiles[n:]], axis=1)
    texts = [f"no. {number}, ratio {ratio:.2f}" for number, ratio in zip(numbers, ratios, strict=True)]
    columns = ["sample", "", "nearest", *[f"{i}." for i in range(2, k + 1)]]
    below = "Left: the first samples. Right: those most like a single train image (ratio 0: a copy; near 1: none)."
    return grid(whole, texts[:n], [*columns, "", *columns], title, below, texts[n:])


def columns_of(images: NDArray[np.uint8]) -> int:
    """The number of images (..., h, w, 3) in a row: 16, fewer of images of more than 64 pixels."""
    return max(4, min(16, LARGEST // (int(images.shape[-2]) + GAP)))


def label_width(texts: Sequence[str]) -> float:
    """Inches that the longest of the texts takes at the size of the rows' texts."""
    return 0.15 + 0.075 * max(map(len, texts), default=0)
