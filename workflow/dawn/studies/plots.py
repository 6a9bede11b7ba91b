"""The pictures of a study: the differences that matter, and what they cost by the clock and by FLOPs."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dawn.report import style
from dawn.studies.gather import Result
from dawn.studies.statistics import Judged
from dawn.studies.table import disagreements


def accuracy(results: Mapping[str, Result], judged: Mapping[str, Judged], path: Path) -> None:
    """Each seed and the mean of each variant, and beside it the differences to the base as a forest plot."""
    figure = style.figure(9.5, 1.4 + 0.42 * len(results))
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(3, 2))
    for place, (key, result) in enumerate(results.items()):
        a, values = result.metrics["accuracy"], list(result.accuracy.values())
        left.plot(values, [place - 0.18] * len(values), "|", color="0.55", markersize=7)
        spread = None if a["low"] is None else [[a["mean"] - a["low"]], [a["high"] - a["mean"]]]
        left.errorbar([a["mean"]], [place], xerr=spread, fmt="o", capsize=3, color=style.COLOURS[0])
        if key in judged:
            _difference(right, place, judged[key])
    size = next(iter(judged.values())).size
    right.axvline(0, color="black", linewidth=1)
    right.axvspan(-size, size, color="0.9", zorder=0)
    base = next(r.name for key, r in results.items() if key not in judged)
    left.set(title="Accuracy, its seeds and 95 % interval", xlabel="%")
    left.set_yticks(range(len(results)), [r.name for r in results.values()])
    left.invert_yaxis()
    within(left.set_xlim, left.get_xlim())
    right.set(title=f"Difference to {base}", xlabel=f"points; grey: less than {size:g}; filled: p < 0.05")
    style.save(figure, path)


def _difference(axes: Any, place: int, judged: Judged) -> None:
    """One row of the forest: filled where the verdict is clear, hollow where it is not, a cross without interval."""
    d, colour = judged.difference, style.COLOURS[6]
    if d.low is None or d.high is None:
        axes.plot([d.mean], [place], "x", color=colour)
        return
    clear = judged.verdict in ("better", "worse")
    axes.errorbar([d.mean], [place], xerr=[[d.mean - d.low], [d.high - d.mean]], fmt="s", capsize=3, color=colour,
                  markerfacecolor=colour if clear else "white")  # fmt: skip


def price(results: Mapping[str, Result], path: Path) -> None:
    """Accuracy against the seconds of a training and against FLOPs, and where the two measures of cost part."""
    figure = style.figure(11, 4)
    clock, flops, both = figure.subplots(1, 3)
    for i, result in enumerate(results.values()):
        m, step = result.metrics, result.time("step")
        look = style.line(i) | {"linestyle": "none", "marker": style.MARKERS[(i + i // 8) % 8]}
        for axes, x in ((clock, m["seconds"]), (flops, {"mean": m["flops"] / 1e6, "low": None, "high": None})):
            axes.errorbar([x["mean"]], [m["accuracy"]["mean"]], yerr=_ends(m["accuracy"]), xerr=_ends(x), capsize=2,
                          label=result.name, **look)  # fmt: skip
        if step:
            image = {"mean": step["seconds"], "low": step["low"], "high": step["high"]}
            image = {name: 1e6 * value / step["batch"] for name, value in image.items()}
            both.errorbar([m["flops"] / 1e6], [image["mean"]], yerr=_ends(image), capsize=2, **look)
    clock.set(title="Against the clock", xlabel="seconds of training", ylabel="accuracy, %")
    flops.set(title="Against FLOPs", xlabel="MFLOP an image, forward", ylabel="accuracy, %")
    count, pairs = len(disagreements(results)), len(results) * (len(results) - 1) // 2
    both.set(title=f"They disagree on {count} of {pairs} pairs", xlabel="MFLOP an image, forward")
    both.set(ylabel="µs an image, training step")
    for axes in (clock, flops):
        within(axes.set_ylim, axes.get_ylim())
    both.set_xlim(left=0)
    both.set_ylim(bottom=0)
    figure.legend(*clock.get_legend_handles_labels(), loc="outside lower center", ncols=min(4, len(results)))
    style.save(figure, path)


def within(limit: Any, ends: tuple[float, float]) -> None:
    """Cut an axis of percents at 0 and 100, which a wide interval may pass."""
    limit(max(0.0, ends[0]), min(100.0, ends[1]))


def _ends(value: Mapping[str, float | None]) -> list[list[float]] | None:
    """The arms of an error bar, or None where there is no interval."""
    mean, low, high = (value[name] for name in ("mean", "low", "high"))
    return None if mean is None or low is None or high is None else [[mean - low], [high - mean]]
