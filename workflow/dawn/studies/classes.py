"""Which classes a comparison gains and loses: differences in the recall of each class."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.axes import Axes

from dawn.report import style
from dawn.report.frame import heading
from dawn.studies.comparisons import Difference, contrast, reach
from dawn.studies.tables import Results
from dawn.studies.verdicts import Verdict

SHOWN = 20  # classes at most in a panel, those with the largest differences
PANELS = 12  # comparisons at most


def classes(verdicts: Sequence[Verdict], results: Results, path: Path) -> None:
    """A panel for each comparison: the difference of each class with its own 95 % interval over the seeds."""
    shown = verdicts[:PANELS]
    found = [recalls(verdict, results) for verdict in shown]
    height = 0.9 + 0.21 * max(1, *map(len, found))
    columns = min(3, len(shown))
    lines = math.ceil(len(shown) / columns)
    figure = style.figure(1.2 + 3.4 * columns, 0.8 + height * lines)
    axes = figure.subplots(lines, columns, squeeze=False).ravel()
    for place, verdict, differences in zip(axes, shown, found, strict=False):
        panel(place, verdict, differences)
    for place in axes[len(shown) :]:
        place.set_visible(False)
    more = f" The first {PANELS} of {len(verdicts)} comparisons." if len(verdicts) > PANELS else ""
    heading(figure, "Differences in the recall of each class, in percentage points",
            f"95 % intervals over the seeds, each by itself: one in twenty misses 0 by chance.{more}")  # fmt: skip
    style.save(figure, path)


def recalls(verdict: Verdict, results: Results) -> dict[str, Difference]:
    """The difference in recall of each class, by its name; classes without test images are left out."""
    weights = verdict.comparison.weights
    used = {name: {seed: results[name].evaluations[seed]["classes"] for seed in seeds}
            for name, seeds in verdict.seeds.items()}  # fmt: skip
    found = {}
    for label in next(iter(next(iter(used.values())).values())):
        values: Mapping[str, dict[int, float]] = {
            name: {place: c[label]["recall"] for place, c in enumerate(by_seed.values())}
            for name, by_seed in used.items()
        }
        if all(value is not None for by_seed in values.values() for value in by_seed.values()):
            found[label] = contrast(values, weights, verdict.difference.paired)
    largest = sorted(found, key=lambda label: -abs(found[label].mean))[:SHOWN]
    return {label: difference for label, difference in found.items() if label in largest}


def panel(axes: Axes, verdict: Verdict, found: Mapping[str, Difference]) -> None:
    """One comparison, a line a class."""
    for place, difference in enumerate(found.values()):
        interval = difference.interval(reach=reach(verdict.comparison.weights, "percent"))
        beyond = interval is not None and not interval[0] <= 0 <= interval[1]
        if interval is not None:
            axes.plot(interval, [place, place], color=style.COLOURS[0], linewidth=2, solid_capstyle="butt")
        axes.plot([difference.mean], [place], "o" if interval else "x", color=style.COLOURS[0], markersize=5,
                  markerfacecolor=style.COLOURS[0] if beyond else "white")  # fmt: skip
    axes.axvline(0, color="black", linewidth=1)
    axes.set_yticks(range(len(found)), list(found), fontsize=8)
    axes.set_ylim(len(found) - 0.5, -0.5)
    axes.set_title(f"{verdict.comparison.name}\nagainst {verdict.comparison.base}", fontsize=9)
