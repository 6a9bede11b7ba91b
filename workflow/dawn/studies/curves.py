"""Learning curves of the variants: accuracy on the monitored split by epoch and by seconds of training."""

import statistics
from collections.abc import Sequence
from pathlib import Path

from matplotlib.axes import Axes

from dawn.report import style
from dawn.report.figures.frame import heading
from dawn.results.curve import EpochMetrics, read_curve
from dawn.studies.tables import Results

Curve = Sequence[EpochMetrics]
Row = tuple[float, float, float, float]  # x, mean, lowest, highest


def curves(results: Results, study: Path, path: Path) -> None:
    """Of each variant the mean over its seeds as a line, and a band from the lowest seed to the highest."""
    figure = style.figure(11, 4.8 + 0.2 * (len(results) // 4))
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (slug, result) in enumerate(results.items()):
        seeds = [read_curve(study / slug / f"seed-{seed}" / "curve.tsv") for seed in result.evaluations]
        for axes, name in ((left, "epoch"), (right, "seconds")):
            band(axes, rows(seeds, name), result.name, i)
    left.set(xlabel="epoch", ylabel="accuracy, %")
    right.set(xlabel="seconds of training, mean over the seeds")
    for axes in (left, right):
        axes.set_xlim(left=0)
    split = {r.choices["data"]["holdout"] > 0 for r in results.values()}
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=min(4, len(results)))
    heading(figure, f"Accuracy on the {'held-out' if split == {True} else 'test'} split during training",
            "Line: mean over the seeds. Band: from the lowest seed to the highest.")  # fmt: skip
    style.save(figure, path)


def rows(seeds: Sequence[Curve], name: str) -> list[Row]:
    """The monitored epochs that all seeds have, at the mean of their ``name``: epoch or seconds."""
    found = []
    for epochs in zip(*seeds, strict=False):
        values = [row.accuracy for row in epochs if row.accuracy is not None]
        if len(values) == len(epochs):
            x = statistics.fmean(getattr(row, name) for row in epochs)
            found.append((x, statistics.fmean(values), min(values), max(values)))
    return found


def band(axes: Axes, found: Sequence[Row], label: str, style_of: int) -> None:
    """One variant."""
    if not found:
        return
    x, means, low, high = zip(*found, strict=True)
    axes.plot(x, means, **style.line(style_of), markevery=max(1, len(x) // 10), label=label)
    axes.fill_between(x, low, high, color=style.COLOURS[style_of % len(style.COLOURS)], alpha=0.2, linewidth=0)
