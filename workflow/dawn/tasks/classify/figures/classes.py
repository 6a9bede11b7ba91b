"""Which classes are recognised, and which are confused with one another."""

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import PowerNorm
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.numbers import count
from dawn.report.style import bar, figure, heading

WRITTEN = 20  # classes at most whose percentages are written into the cells
NAMED = 60  # classes at most that are named at the axes, and that have bars

Counts = NDArray[np.int64]  # (seeds, classes, classes): actual by predicted


def confusion(counts: Counts, classes: Sequence[str]) -> Figure:
    """Percent of each actual class by predicted class, over all seeds; small percentages are shaded more strongly."""
    total = counts.sum(0)
    percent = 100 * total / np.maximum(total.sum(1, keepdims=True), 1)
    side = 2.6 + 0.52 * min(len(classes), WRITTEN)
    picture = figure(side + 0.8, side)
    axes = picture.subplots()
    image = axes.imshow(percent, cmap="Greys", norm=PowerNorm(0.35, 0, 100))
    if len(classes) <= WRITTEN:
        write(axes, percent, total)
    places = range(0, len(classes), -(-len(classes) // NAMED))
    names, size = [classes[place] for place in places], 10 if len(classes) <= WRITTEN else 6
    axes.set_xticks(places, names, rotation=45, ha="right", rotation_mode="anchor", fontsize=size)
    axes.set_yticks(places, names, fontsize=size)
    axes.set(xlabel="predicted class", ylabel="actual class")
    axes.grid(False)
    scale = picture.colorbar(image, ax=axes, ticks=[0, 1, 5, 10, 25, 50, 100], shrink=0.8)
    scale.set_label("percent of the actual class")
    n = len(counts)
    heading(picture, f"Confusion of the classes: {total.sum() // n:,} test images, {count(n, 'seed')}")
    return picture


def write(axes: Axes, percent: NDArray[np.float64], total: NDArray[np.int64]) -> None:
    """Each cell's percentage in it; a dot where no image fell."""
    for row, column in np.ndindex(percent.shape):
        value = percent[row, column]
        text = "·" if total[row, column] == 0 else f"{value:.1f}" if value >= 0.05 else "<0.1"
        axes.text(column, row, text, ha="center", va="center", fontsize=7.5, color="white" if value > 20 else "black")


def bars(counts: Counts, classes: Sequence[str]) -> Figure:
    """Errors of each class, the best class on top; whiskers from the lowest seed to the highest.

    Of many classes those with the most errors.

    The errors are drawn, since bars must start from zero and accuracies near 100 % would then be hard to distinguish.
    """
    hits = np.diagonal(counts, axis1=1, axis2=2)
    missed, false = (100 - 100 * hits / np.maximum(counts.sum(axis), 1) for axis in (2, 1))
    order = np.argsort(-missed.mean(0), kind="stable")[:NAMED]
    picture = figure(7, 1.8 + 0.42 * len(order))
    axes = picture.subplots()
    named = (("not recognised (100 - recall)", missed), ("wrongly predicted (100 - precision)", false))
    for i, (name, values) in enumerate(named):
        mean = values.mean(0)[order]
        span = np.abs(np.stack([values.min(0), values.max(0)])[:, order] - mean) if len(values) > 1 else None
        place = np.arange(len(order)) + (0.2, -0.2)[i]
        axes.barh(place, mean, 0.38, xerr=span, capsize=2, label=name, **bar(i))
    axes.set_yticks(np.arange(len(order)), [classes[i] for i in order])
    axes.set_xlabel("percent of the images of the class, or predicted as the class")
    axes.set_xlim(left=0)
    axes.grid(axis="y", visible=False)
    picture.legend(loc="outside lower center", ncols=2, fontsize=9)
    whiskers = "Bar: mean. Whiskers: lowest and highest seed." if len(counts) > 1 else ""
    which = "each class" if len(order) == len(classes) else f"the {NAMED} least recognised of {len(classes):,} classes"
    heading(picture, f"Errors of {which}, {count(len(counts), 'seed')}", whiskers)
    return picture
