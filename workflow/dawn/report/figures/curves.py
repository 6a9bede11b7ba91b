"""How trainings went: loss and accuracy by epoch, and when each came to its target."""

import math
import statistics
from collections.abc import Mapping, Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dawn.report.figures.frame import INK, heading, many
from dawn.report.style import COLOURS, figure, line

Curve = Mapping[str, Sequence[float]]  # the columns of a curve.tsv; NaN where an epoch was not monitored
TARGET = {"color": "0.3", "linewidth": 1.2, "linestyle": (0, (1, 1))}


def curves(seeds: Sequence[Curve], monitored: str, target: float) -> Figure:
    """Loss and accuracy by epoch: the mean over the seeds, and a band from the lowest seed to the highest."""
    picture = figure(9, 4.2)
    left, right = picture.subplots(1, 2)
    for axes, names, label in (
        (left, ("train_loss", "loss"), "cross-entropy"),
        (right, ("train_accuracy", "accuracy"), "accuracy, percent"),
    ):
        for i, (name, split) in enumerate(zip(names, ("train, as augmented", monitored), strict=True)):
            band(axes, seeds, name, split, i)
        axes.set(xlabel="epoch", ylabel=label)
        axes.locator_params(axis="x", integer=True)
    right.axhline(target, label=f"target, {target:g} %", **TARGET)
    left.set_ylim(bottom=0)
    right.legend(loc="lower right")
    shade = "Line: mean. Band: from the lowest seed to the highest." if len(seeds) > 1 else ""
    heading(picture, f"Loss and accuracy by epoch, {many(len(seeds), 'seed')}", shade)
    return picture


def band(axes: Axes, seeds: Sequence[Curve], name: str, label: str, style: int) -> None:
    """One quantity: its mean over the seeds as a marked line, lowest to highest as a band."""
    rows = [
        (epoch, values)
        for epoch, *values in zip(seeds[0]["epoch"], *(seed[name] for seed in seeds), strict=True)
        if not any(map(math.isnan, values))
    ]
    epochs, means = [row[0] for row in rows], [statistics.fmean(row[1]) for row in rows]
    axes.plot(epochs, means, **line(style), markevery=max(1, len(rows) // 12), label=label)
    if len(seeds) > 1:
        low, high = ([limit(row[1]) for row in rows] for limit in (min, max))
        axes.fill_between(epochs, low, high, color=COLOURS[style], alpha=0.25, linewidth=0)


def arrivals(seeds: Sequence[Curve], target: float) -> list[float | None]:
    """Seconds of training until the monitored accuracy of each seed was first at the target; None if never."""
    return [
        next((s for s, a in zip(seed["seconds"], seed["accuracy"], strict=True) if a >= target), None) for seed in seeds
    ]


def time_to_target(seeds: Sequence[Curve], monitored: str, target: float) -> Figure:
    """Above, accuracy against seconds of training; below, the share of the seeds at the target by then."""
    picture = figure(7, 5.4)
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    for number, seed in enumerate(seeds):
        seen = [(s, a) for s, a in zip(seed["seconds"], seed["accuracy"], strict=True) if not math.isnan(a)]
        label = None if number else f"{monitored} split, a line a seed"
        upper.plot(*zip(*seen, strict=True), color=COLOURS[0], alpha=0.6, linewidth=1.2, label=label)
    upper.axhline(target, label=f"target, {target:g} %", **TARGET)
    found = sorted(second for second in arrivals(seeds, target) if second is not None)
    last = max(seed["seconds"][-1] for seed in seeds)
    shares = [100 * i / len(seeds) for i in range(len(found) + 1)]
    upper.plot(found, [target] * len(found), linestyle="", marker="v", color=INK, label="first at the target")
    lower.step([0.0, *found, last], [*shares, shares[-1]], where="post", color=INK)
    lower.plot(found, shares[1:], linestyle="", marker="v", color=INK)
    upper.set(ylabel="accuracy, percent", xlim=(0, 1.02 * last))
    lower.set(xlabel="seconds of training", ylabel="seeds at the\ntarget, percent", ylim=(-6, 106))
    upper.legend(loc="lower right")
    median = f", half of these by {statistics.median(found):,.1f} s" if found else ""
    came = f"{len(found)} of {many(len(seeds), 'seed')} came there in training{median}."
    heading(picture, f"Time to {target:g} %", came)
    return picture
