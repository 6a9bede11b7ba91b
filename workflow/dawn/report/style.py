"""The style of every figure, readable in black and white and by the colour-blind; the heading, and bands over seeds.

Nothing is shown by colour alone: a series has its own colour, line and marker, a bar its own colour and hatch.
The colours are Okabe and Ito's (Color Universal Design, 2008), ordered so that neighbours differ in lightness.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from matplotlib import rcParams
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.text import Text
from matplotlib.ticker import LogFormatter

from dawn.core.files import replacing
from dawn.report.fonts import with_all_characters

COLOURS = ("#0072b2", "#e69f00", "#009e73", "#cc79a7", "#000000", "#56b4e9", "#d55e00", "#f0e442")
LINES: tuple[Any, ...] = ("-", "--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)), (0, (1, 1)), (0, (8, 2)), (0, (3, 1)))
MARKERS = "osD^vPX*"
DPI = 150  # of a saved figure: its pixels per inch
HATCHES = ("", "///", "...", "xxx", "\\\\\\", "+++", "ooo", "---")
RC: dict[Any, Any] = {
    "font.size": 10,
    "axes.titlesize": 11,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "legend.frameon": False,
    "lines.linewidth": 1.8,
    "lines.markersize": 5,
    "hatch.linewidth": 0.6,
}


def figure(width: float = 7.0, height: float = 4.2) -> Figure:
    """An empty figure in this style, size in inches. It belongs to no window and needs no closing."""
    rcParams.update(RC)
    return Figure(figsize=(width, height), layout="constrained")


def line(i: int) -> dict[str, Any]:
    """Keywords of ``plot`` and ``errorbar`` for series ``i``."""
    return {
        "color": COLOURS[i % len(COLOURS)],
        "linestyle": LINES[i % len(LINES)],
        "marker": MARKERS[i % len(MARKERS)],
    }


def bar(i: int) -> dict[str, Any]:
    """Keywords of ``bar`` and ``barh`` for series ``i``."""
    return {"color": COLOURS[i % len(COLOURS)], "hatch": HATCHES[i % len(HATCHES)], "edgecolor": "white"}


def save(drawn: Figure, path: Path) -> None:
    """Write a figure in the format of its suffix (PNG without one), atomically."""
    _without_formulas(drawn)
    with with_all_characters(drawn), replacing(path) as partial:
        drawn.savefig(partial, format=path.suffix.lstrip(".") or "png", dpi=DPI)


def _without_formulas(drawn: Figure) -> None:
    """Draw every ``$`` as it is: names of classes and of variants are anybody's. Powers of ten at axes are formulas."""
    axes = [axis for place in drawn.axes for axis in (place.xaxis, place.yaxis)]
    powers = {
        id(label)
        for axis in axes
        for label in axis.get_ticklabels(which="both")
        if isinstance(axis.get_major_formatter(), LogFormatter)
    }
    for text in drawn.findobj(Text):
        if isinstance(text, Text) and id(text) not in powers:
            text.set_parse_math(False)


INK, SHADE = "black", "0.75"


def heading(picture: Figure, text: str, below: str = "") -> None:
    """A bold line over the whole figure, and a plain smaller one under it."""
    picture.suptitle(text + ("\n" if below else ""), x=0.01, ha="left", fontsize=11, fontweight="bold")
    if below:
        # Placed from the upper edge in points, since the layout leaves the suptitle's two lines free.
        height = picture.get_figheight() * 72
        picture.text(0.01, 1 - 21 / height, below, ha="left", va="top", fontsize=9, color="0.25")


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
