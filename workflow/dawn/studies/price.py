"""What the measure costs: against the time of a training, against FLOPs, and where these two disagree."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes

from dawn.config.task import Measure
from dawn.report import style
from dawn.results.measures import MEASURES, over
from dawn.studies.figures import ends
from dawn.studies.tables import Results, disagreements
from dawn.studies.variants import Result

Point = tuple[dict[str, Any], dict[str, Any]]  # cost and measure, each with mean, low and high
LIMIT = 1.3  # the axis ends at so many times the largest mean, whatever the intervals


def price(results: Results, measure: Measure, path: Path) -> None:
    """A panel for each cost that is known of two variants or more; the best at each cost are joined by a line."""
    panels = {
        "Against the clock": (MEASURES["seconds"].title, points(results, measure, seconds)),
        "Against FLOPs": ("MFLOP an image, forward", points(results, measure, megaflops)),
    }
    panels = {title: panel for title, panel in panels.items() if len(panel[1]) > 1}
    timed = [r for r in results.values() if r.metrics and r.metrics.get("flops") and r.time("step")]
    count = max(1, len(panels)) + (len(timed) > 1)
    columns = 2 if count == 1 else 4
    figure = style.figure(1.5 + 3.7 * count, 3.9 + 0.2 * math.ceil((len(results) + 1) / columns))
    axes = figure.subplots(1, count, squeeze=False)[0]
    for place, (title, (label, found)) in zip(axes, panels.items(), strict=False):
        draw(place, results, found, measure.higher)
        way = "higher" if measure.higher else "lower"
        place.set(title=title, xlabel=label, ylabel=f"{measure.title} ({way} is better)")
    if len(timed) > 1:
        agreement(axes[-1], results, timed)
    handles, names = axes[0].get_legend_handles_labels()
    if handles:
        figure.legend(handles, names, loc="outside lower center", ncols=min(columns, len(handles)))
    style.save(figure, path)


def points(results: Results, measure: Measure, cost: Any) -> dict[str, Point]:
    """Cost and measure of the variants that have both, by slug."""
    found = {}
    for slug, result in results.items():
        if (y := result.summary(measure)) is not None and (x := cost(result)) is not None:
            found[slug] = (x, y)
    return found


def seconds(result: Result) -> dict[str, Any] | None:
    """Of a training, over its seeds."""
    found = [float(t["seconds"]) for t in result.trainings.values()]
    return over(found, MEASURES["seconds"]) if found else None


def megaflops(result: Result) -> dict[str, Any] | None:
    """FLOPs of the forward pass of one image."""
    flops = (result.metrics or {}).get("flops")
    return None if flops is None else {"mean": flops / 1e6, "low": None, "high": None}


def draw(axes: Axes, results: Results, found: dict[str, Point], higher: bool) -> None:
    """The variants with their intervals, and the front; the cost starts at 0."""
    means = {slug: (x["mean"], y["mean"]) for slug, (x, y) in found.items()}
    end = LIMIT * max(x for x, _ in means.values())
    best = front(list(means.values()), higher)
    axes.step(*zip(*best, (end, best[-1][1]), strict=True), where="post", color="0.6", linewidth=1, zorder=0,
              label="best at each cost")  # fmt: skip
    for i, slug in enumerate(results):
        if slug in found:
            x, y = found[slug]
            axes.errorbar([x["mean"]], [y["mean"]], yerr=ends(y), xerr=ends(x), capsize=2, label=results[slug].name,
                          **look(i))  # fmt: skip
    axes.set_xlim(0, end)


def front(found: Sequence[tuple[float, float]], higher: bool) -> list[tuple[float, float]]:
    """The Pareto front of (cost, measure), by rising cost: points that no other one has both cheaper and better."""
    kept: list[tuple[float, float]] = []
    sign = 1 if higher else -1
    for x, y in sorted(found, key=lambda point: (point[0], -sign * point[1])):
        if not kept or sign * y > sign * kept[-1][1]:
            kept.append((x, y))
    return kept


def agreement(axes: Axes, results: Results, timed: Sequence[Result]) -> None:
    """The time of an image in a training step against its FLOPs."""
    for i, result in enumerate(results.values()):
        if result in timed:
            m, step = result.metrics, result.time("step")
            assert m is not None
            assert step is not None
            image = {"mean": step["seconds"], "low": step["low"], "high": step["high"]}
            image = {name: 1e6 * value / step["batch"] for name, value in image.items()}
            axes.errorbar([m["flops"] / 1e6], [image["mean"]], yerr=ends(image), capsize=2, **look(i))
    count, pairs = len(disagreements(results)), len(results) * (len(results) - 1) // 2
    axes.set(title=f"They disagree on {count} of {pairs} pairs", xlabel="MFLOP an image, forward")
    axes.set(ylabel="µs an image, training step")
    axes.set_xlim(left=0)
    axes.set_ylim(bottom=0)


def look(i: int) -> dict[str, Any]:
    """Colour and marker of variant ``i``."""
    return style.line(i) | {"linestyle": "none", "marker": style.MARKERS[(i + i // 8) % 8]}
