"""The measures of a GAN next to what known sets of images score: a panel for each measure."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import SymmetricalLogLocator

from dawn.report.numbers import count
from dawn.report.style import COLOURS, figure, heading, line

ACROSS = 3  # panels in a row


@dataclass(frozen=True)
class Panel:
    """One measure: its value for each seed, and for sets of real or spoiled images, the references, by name."""

    title: str
    values: Sequence[float]
    interval: tuple[float, float] | None  # 95 %, of the mean over the seeds
    references: Mapping[str, float]
    log: bool = False  # whether the values differ by orders of magnitude


def references(panels: Sequence[Panel], below: str) -> Figure:
    """Each measure in a panel: the seeds and their mean with its interval on top, the references under them."""
    rows = math.ceil(len(panels) / ACROSS)
    lines = 1 + max(len(panel.references) for panel in panels)
    picture = figure(10.5, 0.7 + rows * (0.75 + 0.2 * lines))
    places = picture.subplots(rows, ACROSS, squeeze=False)
    for axes in places.flat[len(panels) :]:
        axes.set_axis_off()
    styles = {name: line(i) for i, name in enumerate(dict.fromkeys(n for panel in panels for n in panel.references), 1)}
    for axes, panel in zip(places.flat, panels, strict=False):
        draw(axes, panel, styles)
    n = max(len(panel.values) for panel in panels)
    heading(picture, f"Measures of the samples, {count(n, 'seed')}", below)
    return picture


def draw(axes: Axes, panel: Panel, styles: Mapping[str, Mapping[str, Any]]) -> None:
    """One measure: a row for the samples, and one for each reference in its style."""
    names, mean = list(panel.references), float(np.mean(panel.values))
    if panel.interval:
        axes.plot(panel.interval, (0, 0), color=COLOURS[0], linewidth=4, alpha=0.35, solid_capstyle="butt")
    style: dict[str, Any] = {**line(0), "linestyle": ""}
    axes.plot(panel.values, [0] * len(panel.values), **style, fillstyle="none")
    axes.plot([mean], [0], color="black", marker="|", markersize=14)
    axes.axvline(mean, color=COLOURS[0], linewidth=0.8, linestyle=(0, (3, 3)))
    for i, name in enumerate(names, 1):
        axes.plot([panel.references[name]], [i], **{**styles[name], "linestyle": ""})
    texts = [f"samples {short(mean)}", *(f"{name} {short(panel.references[name])}" for name in names)]
    axes.set_yticks(range(len(texts)), texts)
    axes.set_ylim(len(names) + 0.5, -0.6)
    axes.set_title(panel.title, fontsize=9, x=-0.6)
    axes.tick_params(labelsize=8)
    axes.grid(axis="y", visible=False)
    axes.margins(x=0.08)
    if panel.log:
        stretch(axes, panel.values, list(panel.references.values()))


def stretch(axes: Axes, samples: Sequence[float], others: Sequence[float]) -> None:
    """A logarithmic scale that distinguishes the samples; linear at and below 0, and below 1/1000 of the largest value.

    An interval that extends far below 0 is cut at the left edge: its decades would take the place of the values.
    """
    values = [*samples, *others]
    sizes, least = sorted(abs(value) for value in values if value), min(values)
    if not sizes:
        return
    linear = 10.0 ** math.floor(math.log10(max(sizes[0], min(sizes[-1] / 1e3, abs(float(np.mean(samples))) / 10))))
    if least < 0:
        linear = max(linear, 10.0 ** math.ceil(math.log10(-least)))
    axes.set_xscale("symlog", linthresh=linear, linscale=0.8)
    ticks = SymmetricalLogLocator(base=10, linthresh=linear)
    ticks.set_params(numticks=6)
    axes.xaxis.set_major_locator(ticks)
    axes.set_xlim(least / 2 if least >= linear else min(-linear / 2, 1.5 * least), 2.5 * sizes[-1])


def short(value: float) -> str:
    """Three significant digits."""
    return f"{value:.3g}"
