"""How trainings went: loss and accuracy by epoch, and when each reached the target."""

import statistics
from collections.abc import Sequence

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from dawn.report.numbers import count
from dawn.report.style import COLOURS, INK, TARGET, band, figure, heading
from dawn.results.curve import at_target
from dawn.tasks.classify.curve import EpochMetrics

Curve = Sequence[EpochMetrics]


def curves(seeds: Sequence[Curve], monitored: str, target: float | None) -> Figure:
    """Loss and accuracy by epoch: the mean over the seeds, and a band from the lowest seed to the highest."""
    picture = figure(9, 4.2)
    left, right = picture.subplots(1, 2)
    for axes, names, label in (
        (left, ("train_loss", "loss"), "cross-entropy"),
        (right, ("train_accuracy", "accuracy"), "accuracy, percent"),
    ):
        for i, (name, split) in enumerate(zip(names, ("train, augmented", monitored), strict=True)):
            band(axes, seeds, name, split, i)
        axes.set(xlabel="epoch", ylabel=label)
        axes.locator_params(axis="x", integer=True)
    if target is not None:
        right.axhline(target, label=f"target, {target:g} %", **TARGET)
    left.set_ylim(bottom=0)
    right.legend(loc="lower right")
    below = "Line: mean. Band: from the lowest seed to the highest." if len(seeds) > 1 else ""
    heading(picture, f"Loss and accuracy by epoch, {count(len(seeds), 'seed')}", below)
    return picture


def by_time(axes: Axes, seeds: Sequence[Curve], monitored: str) -> None:
    """Draw accuracy against seconds of training, a line for each seed."""
    for number, curve in enumerate(seeds):
        points = [(row.seconds, row.accuracy) for row in curve if row.accuracy is not None]
        label = None if number else f"{monitored} split, one line per seed"
        axes.plot(*zip(*points, strict=True), color=COLOURS[0], alpha=0.6, linewidth=1.2, label=label)
    axes.set(ylabel="accuracy, percent", xlim=(0, 1.02 * max(curve[-1].seconds for curve in seeds)))


def accuracy_by_time(seeds: Sequence[Curve], monitored: str) -> Figure:
    """Accuracy against seconds of training, where no target is set."""
    picture = figure(7, 4)
    axes = picture.subplots()
    by_time(axes, seeds, monitored)
    axes.set(xlabel="seconds of training")
    axes.legend(loc="lower right")
    heading(picture, f"Accuracy by time, {count(len(seeds), 'seed')}", "No target is set (evaluate.target).")
    return picture


def time_to_target(seeds: Sequence[Curve], monitored: str, target: float) -> Figure:
    """Above, accuracy against seconds of training; below, the percentage of the seeds at the target by then."""
    picture = figure(7, 5.4)
    upper, lower = picture.subplots(2, 1, sharex=True, height_ratios=(2, 1))
    by_time(upper, seeds, monitored)
    upper.axhline(target, label=f"target, {target:g} %", **TARGET)
    first = [at_target(map(vars, curve), target) for curve in seeds]
    times = sorted(seconds for row in first if row and (seconds := row["seconds"]) is not None)
    last = max(curve[-1].seconds for curve in seeds)
    percent = [100 * i / len(seeds) for i in range(len(times) + 1)]
    upper.plot(times, [target] * len(times), linestyle="", marker="v", color=INK, label="first epoch at the target")
    lower.step([0.0, *times, last], [*percent, percent[-1]], where="post", color=INK)
    lower.plot(times, percent[1:], linestyle="", marker="v", color=INK)
    lower.set(xlabel="seconds of training", ylabel="seeds at the\ntarget, percent", ylim=(-6, 106))
    upper.legend(loc="lower right")
    median = f"; median of these {statistics.median(times):,.1f} s" if times else ""
    reached = f"{len(times)} of {count(len(seeds), 'seed')} reached it in training{median}."
    heading(picture, f"Time to {target:g} %", reached)
    return picture
