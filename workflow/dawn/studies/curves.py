"""Learning curves of the variants by epoch and by seconds: what the task declares as its curve."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from matplotlib.axes import Axes

from dawn.report import style
from dawn.report.frame import heading
from dawn.results.curve import at_epochs, number, read_columns
from dawn.studies.tables import Results
from dawn.studies.variants import Result


class Point(NamedTuple):
    """What is known at the end of an epoch; the seconds are of training."""

    epoch: float
    seconds: float
    value: float | None


Row = tuple[float, float, float, float]  # x, mean, lowest, highest


def curves(results: Results, study: Path, path: Path) -> None:
    """Of each variant the mean over its seeds as a line, and a band from the lowest seed to the highest."""
    figure = style.figure(11, 4.8 + 0.2 * (len(results) // 4))
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (slug, result) in enumerate(results.items()):
        seeds = [points(result, seed, study / slug / f"seed-{seed}" / "curve.tsv") for seed in result.evaluations]
        band(left, rows(seeds, "epoch"), result.name, i)
        band(right, rows(seeds, "seconds"), result.name, i)
    declared = next(iter(results.values())).declared.curve
    left.set(xlabel="epoch", ylabel=declared.axis)
    left.locator_params(axis="x", integer=True)
    right.set(xlabel="seconds of training, mean over the seeds")
    for axes in (left, right):
        axes.set_xlim(0, 1.05 * axes.dataLim.x1 if axes.lines else 1)
    split = {r.choices["data"]["holdout"] > 0 for r in results.values()}
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=min(4, len(results)))
    title = declared.heading.format(split="held-out" if split == {True} else "test")
    heading(figure, title, "Line: mean over the seeds. Band, bar: from the lowest seed to the highest.")
    style.save(figure, path)


def points(result: Result, seed: int, path: Path) -> list[Point]:
    """The curve of a seed: a column of curve.tsv, or the entries ``progress`` of its evaluation."""
    column, rows = result.declared.curve.column, read_columns(path)
    if column:
        return [Point(number(row, "epoch"), number(row, "seconds"), row[column]) for row in rows]
    kept = at_epochs(rows, result.choices[result.declared.main]["samples_every"])
    values = [entry["value"] for entry in result.evaluations[seed]["progress"]]
    return [Point(number(row, "epoch"), number(row, "seconds"), v) for row, v in zip(kept, values, strict=True)]


def rows(seeds: Sequence[Sequence[Point]], name: Literal["epoch", "seconds"]) -> list[Row]:
    """The measured epochs that all seeds have, at the mean of their ``name``."""
    found = []
    for epochs in zip(*seeds, strict=False):
        values = [point.value for point in epochs if point.value is not None]
        if len(values) == len(epochs):
            x = statistics.fmean(getattr(point, name) for point in epochs)
            found.append((x, statistics.fmean(values), min(values), max(values)))
    return found


def band(axes: Axes, found: Sequence[Row], label: str, style_of: int) -> None:
    """One variant; a bar where it was measured once."""
    if not found:
        return
    x, means, low, high = zip(*found, strict=True)
    colour = style.COLOURS[style_of % len(style.COLOURS)]
    axes.plot(x, means, **style.line(style_of), markevery=max(1, len(x) // 10), label=label)
    if len(x) > 1:
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    else:
        width = 4 - 0.6 * min(style_of, 5)  # so that bars at the same epoch can be distinguished
        axes.vlines(x, low, high, color=colour, alpha=0.4, linewidth=width)
