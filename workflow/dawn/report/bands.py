"""Curves over the seeds of a training: a line for the mean, a band from the lowest seed to the highest."""

import statistics
from collections.abc import Sequence
from typing import Protocol

from matplotlib.axes import Axes

from dawn.report.style import COLOURS, line

TARGET = {"color": "0.3", "linewidth": 1.2, "linestyle": (0, (1, 1))}


class Row(Protocol):
    """A row of a curve.tsv, of whatever network."""

    @property
    def epoch(self) -> float:
        """Epochs trained so far."""


def band(axes: Axes, seeds: Sequence[Sequence[Row]], name: str, label: str, style: int) -> None:
    """One column of the curves: its mean over the seeds as a marked line, lowest to highest as a band."""
    rows = [(epoch[0].epoch, [getattr(row, name) for row in epoch]) for epoch in zip(*seeds, strict=True)]
    rows = [(epoch, values) for epoch, values in rows if None not in values]
    epochs, means = [row[0] for row in rows], [statistics.fmean(row[1]) for row in rows]
    axes.plot(epochs, means, **line(style), markevery=max(1, len(rows) // 12), label=label)
    if len(seeds) > 1:
        low, high = ([limit(row[1]) for row in rows] for limit in (min, max))
        axes.fill_between(epochs, low, high, color=COLOURS[style], alpha=0.25, linewidth=0)
