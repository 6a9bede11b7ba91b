"""The figures of a study: seeds, differences, learning curves, what the measure costs, the classes."""

import math
import statistics
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, NamedTuple

from matplotlib.axes import Axes

from dawn.config.task import Measure
from dawn.report import style
from dawn.report.style import heading
from dawn.results.curve import at_epochs, number, read_columns
from dawn.results.measures import MEASURES, over
from dawn.studies.comparisons import Difference, contrast, reach
from dawn.studies.tables import Results, disagreements
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict

SHOWN = 20  # classes at most in a panel, those with the largest differences
PANELS = 12  # comparisons at most
LIMIT = 1.3  # the axis of a cost ends at so many times the largest mean, whatever the intervals
FLOPS = "MFLOP an image, forward"
Spread = Mapping[str, float | None]  # mean, low, high
Band = tuple[float, float, float, float]  # x, mean, lowest, highest


def values(results: Results, measure: Measure, path: Path) -> None:
    """Draw each seed of each variant, and the mean with its interval."""
    figure = style.figure(7, 1.4 + 0.42 * len(results))
    axes = figure.subplots()
    for place, result in enumerate(results.values()):
        seeds = list(result.values(measure.key).values())
        axes.plot(seeds, [place - 0.18] * len(seeds), "|", color="0.55", markersize=7)
        if mean := result.summary(measure):
            axes.errorbar([statistics.fmean(seeds)], [place], xerr=_arms(mean), fmt="o", capsize=3,
                          color=style.COLOURS[0])  # fmt: skip
    axes.set(title=f"{measure.heading}: seeds, mean and 95 % interval", xlabel=measure.title)
    _lines(axes, [r.name for r in results.values()])
    style.save(figure, path)


def differences(verdicts: Sequence[Verdict], measure: Measure, path: Path) -> None:
    """Draw each comparison: its own interval thick, that of all together thin; filled where it is better or worse."""
    figure = style.figure(7, 1.6 + 0.42 * len(verdicts))
    axes, colour, margin = figure.subplots(), style.COLOURS[6], verdicts[0].margin
    for place, verdict in enumerate(verdicts):
        d = verdict.difference
        for interval, width in ((verdict.simultaneous, 1), (verdict.interval, 3)):
            if interval is not None:
                axes.plot(interval, [place, place], color=colour, linewidth=width, solid_capstyle="butt")
        filled = verdict.kind in ("better", "worse")
        axes.plot([d.mean], [place], "s" if d.error else "x", color=colour, markersize=7,
                  markerfacecolor=colour if filled else "white")  # fmt: skip
    axes.axvline(0, color="black", linewidth=1)
    axes.axvspan(-margin, margin, color="0.9", zorder=0)
    axes.tick_params(axis="y", labelsize=8)
    _lines(axes, [f"{v.comparison.name}\nagainst {v.comparison.base}" for v in verdicts])
    axes.set(title="Differences, 95 % intervals: thick each, thin all together",
             xlabel=f"difference,{measure.points or ' ' + measure.name}; grey: less than {margin:g}; "
             "filled: better or worse")  # fmt: skip
    style.save(figure, path)


def _lines(axes: Axes, names: Sequence[str], **text: Any) -> None:
    """Name the lines of a figure, the first on top."""
    axes.set_yticks(range(len(names)), names, **text)
    axes.set_ylim(len(names) - 0.5, -0.5)


def _arms(value: Spread) -> list[list[float]] | None:
    """Return the arms of an error bar, or None where there is no interval."""
    mean, low, high = (value[name] for name in ("mean", "low", "high"))
    return None if mean is None or low is None or high is None else [[mean - low], [high - mean]]


class Point(NamedTuple):
    """A point of a learning curve at the end of an epoch; the seconds are of training."""

    epoch: float
    seconds: float
    value: float | None


def curves(results: Results, study: Path, path: Path) -> None:
    """Draw of each variant the mean over its seeds as a line, and a band from the lowest seed to the highest."""
    figure = style.figure(11, 4.8 + 0.2 * (len(results) // 4))
    left, right = figure.subplots(1, 2, sharey=True)
    for i, (slug, result) in enumerate(results.items()):
        seeds = [curve(result, seed, study / slug / f"seed-{seed}" / "curve.tsv") for seed in result.evaluations]
        _band(left, over_seeds(seeds, "epoch"), result.name, i)
        _band(right, over_seeds(seeds, "seconds"), result.name, i)
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


def curve(result: Result, seed: int, path: Path) -> list[Point]:
    """Return the curve of a seed: a column of curve.tsv, or the entries ``progress`` of its evaluation."""
    column, rows = result.declared.curve.column, read_columns(path)
    if column:
        measured = [row[column] for row in rows]
    else:
        rows = at_epochs(rows, result.choices[result.declared.main]["samples_every"])
        measured = [entry["value"] for entry in result.evaluations[seed]["progress"]]
    return [Point(number(row, "epoch"), number(row, "seconds"), v) for row, v in zip(rows, measured, strict=True)]


def over_seeds(seeds: Sequence[Sequence[Point]], name: Literal["epoch", "seconds"]) -> list[Band]:
    """Return the band at each measured epoch that all seeds have, at the mean of their ``name``."""
    band = []
    for points in zip(*seeds, strict=False):
        measured = [point.value for point in points if point.value is not None]
        if len(measured) == len(points):
            x = statistics.fmean(getattr(point, name) for point in points)
            band.append((x, statistics.fmean(measured), min(measured), max(measured)))
    return band


def _band(axes: Axes, band: Sequence[Band], label: str, i: int) -> None:
    """Draw the curve of variant ``i``; a bar where it was measured once."""
    if not band:
        return
    x, means, low, high = zip(*band, strict=True)
    colour = style.COLOURS[i % len(style.COLOURS)]
    axes.plot(x, means, **style.line(i), markevery=max(1, len(x) // 10), label=label)
    if len(x) > 1:
        axes.fill_between(x, low, high, color=colour, alpha=0.2, linewidth=0)
    else:  # bars at the same epoch have different widths
        axes.vlines(x, low, high, color=colour, alpha=0.4, linewidth=4 - 0.6 * min(i, 5))


def price(results: Results, measure: Measure, path: Path) -> None:
    """Draw a panel for each cost that is known of two variants or more; a line joins the best at each cost."""
    costs: dict[str, tuple[str, Callable[[Result], Spread | None]]] = {
        "Against the clock": (MEASURES["seconds"].title, _seconds),
        "Against FLOPs": (FLOPS, _megaflops),
    }
    panels = [(title, label, points) for title, (label, cost) in costs.items()
              if len(points := _with_cost(results, measure, cost)) > 1]  # fmt: skip
    timed = [r for r in results.values() if r.metrics and r.metrics.get("flops") and r.time("step")]
    count = max(1, len(panels)) + (len(timed) > 1)
    columns = 2 if count == 1 else 4
    figure = style.figure(1.5 + 3.7 * count, 3.9 + 0.2 * math.ceil((len(results) + 1) / columns))
    axes = figure.subplots(1, count, squeeze=False)[0]
    for place, (title, label, points) in zip(axes, panels, strict=False):
        _against_cost(place, results, points, measure.higher)
        way = "higher" if measure.higher else "lower"
        place.set(title=title, xlabel=label, ylabel=f"{measure.title} ({way} is better)")
    if len(timed) > 1:
        _agreement(axes[-1], results, timed)
    handles, names = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside lower center", ncols=min(columns, len(handles)))
    style.save(figure, path)


def _seconds(result: Result) -> Spread | None:
    seconds = [float(t["seconds"]) for t in result.trainings.values()]
    return over(seconds, MEASURES["seconds"]) if seconds else None


def _megaflops(result: Result) -> Spread | None:
    flops = (result.metrics or {}).get("flops")
    return None if flops is None else {"mean": flops / 1e6, "low": None, "high": None}


def _with_cost(results: Results, measure: Measure, cost: Callable[[Result], Spread | None]) -> dict[str, Any]:
    """Return cost and measure of the variants that have both, by slug."""
    return {slug: (x, y) for slug, result in results.items()
            if (y := result.summary(measure)) is not None and (x := cost(result)) is not None}  # fmt: skip


def _against_cost(axes: Axes, results: Results, points: Mapping[str, Any], higher: bool) -> None:
    """Draw the variants with their intervals, and the front; the cost starts at 0."""
    means = [(x["mean"], y["mean"]) for x, y in points.values()]
    end, best = LIMIT * max(x for x, _ in means), front(means, higher)
    axes.step(*zip(*best, (end, best[-1][1]), strict=True), where="post", color="0.6", linewidth=1, zorder=0,
              label="best at each cost")  # fmt: skip
    for i, slug in enumerate(results):
        if slug in points:
            x, y = points[slug]
            axes.errorbar([x["mean"]], [y["mean"]], yerr=_arms(y), xerr=_arms(x), capsize=2, label=results[slug].name,
                          **_mark(i))  # fmt: skip
    axes.set_xlim(0, end)


def front(points: Sequence[tuple[float, float]], higher: bool) -> list[tuple[float, float]]:
    """Return the Pareto front of (cost, measure), by rising cost: points that no other has both cheaper and better."""
    kept: list[tuple[float, float]] = []
    sign = 1 if higher else -1
    for x, y in sorted(points, key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * y > sign * kept[-1][1]:
            kept.append((x, y))
    return kept


def _agreement(axes: Axes, results: Results, timed: Sequence[Result]) -> None:
    """Draw the time of an image in a training step against its FLOPs."""
    for i, result in enumerate(results.values()):
        if result in timed:
            metrics, step = result.metrics or {}, result.time("step") or {}
            ends = {"mean": "seconds", "low": "low", "high": "high"}
            image = {name: 1e6 * step[key] / step["batch"] for name, key in ends.items()}
            axes.errorbar([metrics["flops"] / 1e6], [image["mean"]], yerr=_arms(image), capsize=2, **_mark(i))
    count, pairs = len(disagreements(results)), len(results) * (len(results) - 1) // 2
    axes.set(title=f"They disagree on {count} of {pairs} pairs", xlabel=FLOPS, ylabel="µs an image, training step")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def _mark(i: int) -> dict[str, Any]:
    """Return the colour and marker of variant ``i``."""
    return style.line(i) | {"linestyle": "none", "marker": style.MARKERS[(i + i // 8) % 8]}


def classes(verdicts: Sequence[Verdict], results: Results, path: Path) -> None:
    """Draw a panel for each comparison: the difference of each class with its own 95 % interval over the seeds."""
    shown = verdicts[:PANELS]
    gains = [recalls(verdict, results) for verdict in shown]
    columns = min(3, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = style.figure(1.2 + 3.4 * columns, 0.8 + (0.9 + 0.21 * max(1, *map(len, gains))) * lines)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for place, verdict, by_class in zip(axes, shown, gains, strict=False):
        _classes(place, verdict, by_class)
    for place in axes[len(shown) :]:
        place.set_visible(False)
    more = f" The first {PANELS} of {len(verdicts)} comparisons." if len(verdicts) > PANELS else ""
    heading(figure, "Differences in the recall of each class, in percentage points",
            f"95 % intervals over the seeds, each by itself: one in twenty misses 0 by chance.{more}")  # fmt: skip
    style.save(figure, path)


def recalls(verdict: Verdict, results: Results) -> dict[str, Difference]:
    """Return the difference in recall of each class, by its name; classes without test images are left out."""
    used = {name: [results[name].evaluations[seed]["classes"] for seed in seeds]
            for name, seeds in verdict.seeds.items()}  # fmt: skip
    gains = {}
    for label in next(iter(used.values()))[0]:
        recall = {name: {i: c[label]["recall"] for i, c in enumerate(seeds)} for name, seeds in used.items()}
        if all(value is not None for by_seed in recall.values() for value in by_seed.values()):
            gains[label] = contrast(recall, verdict.comparison.weights, verdict.difference.paired)
    largest = sorted(gains, key=lambda label: -abs(gains[label].mean))[:SHOWN]
    return {label: difference for label, difference in gains.items() if label in largest}


def _classes(axes: Axes, verdict: Verdict, gains: Mapping[str, Difference]) -> None:
    """Draw one comparison, a line a class."""
    for place, difference in enumerate(gains.values()):
        interval = difference.interval(reach=reach(verdict.comparison.weights, "percent"))
        beyond = interval is not None and not interval[0] <= 0 <= interval[1]
        if interval is not None:
            axes.plot(interval, [place, place], color=style.COLOURS[0], linewidth=2, solid_capstyle="butt")
        axes.plot([difference.mean], [place], "o" if interval else "x", color=style.COLOURS[0], markersize=5,
                  markerfacecolor=style.COLOURS[0] if beyond else "white")  # fmt: skip
    axes.axvline(0, color="black", linewidth=1)
    _lines(axes, list(gains), fontsize=8)
    axes.set_title(f"{verdict.comparison.name}\nagainst {verdict.comparison.base}", fontsize=9)
