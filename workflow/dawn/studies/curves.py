"""Learning curves of the variants by epoch and by seconds: accuracy on the monitored split, of GANs KID-judge."""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from matplotlib.axes import Axes

from dawn.report import style
from dawn.report.figures.frame import heading
from dawn.results.curve import read_curve
from dawn.results.cycle_curve import read_cycle_curve
from dawn.results.gan_curve import read_gan_curve
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
    gan = any(result.gan for result in results.values())
    cycle = any(result.cycle for result in results.values())
    name = "PSNR of test images, dB" if cycle else "KID-judge of 64 samples" if gan else "accuracy, %"
    left.set(xlabel="epoch", ylabel=name)
    left.locator_params(axis="x", integer=True)
    right.set(xlabel="seconds of training, mean over the seeds")
    for axes in (left, right):
        axes.set_xlim(0, 1.05 * axes.dataLim.x1 if axes.lines else 1)
    split = {r.choices["data"]["holdout"] > 0 for r in results.values()}
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=min(4, len(results)))
    accuracy = f"Accuracy on the {'held-out' if split == {True} else 'test'} split during training"
    of_gan = f"{'PSNR' if cycle else 'KID-judge'} during training, {'higher' if cycle else 'lower'} is better"
    heading(figure, of_gan if gan else accuracy,
            "Line: mean over the seeds. Band, bar: from the lowest seed to the highest.")  # fmt: skip
    style.save(figure, path)


def points(result: Result, seed: int, path: Path) -> list[Point]:
    """The curve of a seed; a GAN's has the epochs after which samples were kept."""
    if result.cycle:
        return [Point(row.epoch, row.seconds, row.psnr) for row in read_cycle_curve(path)]
    if not result.gan:
        return [Point(row.epoch, row.seconds, row.accuracy) for row in read_curve(path)]
    curve, every = read_gan_curve(path), result.choices["gan"]["samples_every"]
    kept = [row for number, row in enumerate(curve, 1) if number % every == 0 or number == len(curve)]
    measured = result.evaluations[seed]["progress"]
    return [Point(row.epoch, row.seconds, entry["value"]) for row, entry in zip(kept, measured, strict=True)]


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
