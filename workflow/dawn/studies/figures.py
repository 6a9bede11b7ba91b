"""The main figures of a study: the seeds of each variant, and the differences."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from dawn.config.task import Measure
from dawn.report import style
from dawn.studies.tables import Results
from dawn.studies.verdicts import Verdict


def values(results: Results, measure: Measure, path: Path) -> None:
    """Each seed of each variant, and the mean with its interval."""
    figure = style.figure(7, 1.4 + 0.42 * len(results))
    axes = figure.subplots()
    for place, result in enumerate(results.values()):
        found = list(result.values(measure.key).values())
        axes.plot(found, [place - 0.18] * len(found), "|", color="0.55", markersize=7)
        if mean := result.summary(measure):
            axes.errorbar([statistics.fmean(found)], [place], xerr=ends(mean), fmt="o", capsize=3,
                          color=style.COLOURS[0])  # fmt: skip
    axes.set(title=f"{measure.heading}: seeds, mean and 95 % interval", xlabel=measure.title)
    axes.set_yticks(range(len(results)), [r.name for r in results.values()])
    axes.set_ylim(len(results) - 0.5, -0.5)
    style.save(figure, path)


def differences(verdicts: Sequence[Verdict], measure: Measure, path: Path) -> None:
    """Each comparison: its own interval thick, that of all together thin; filled where it is better or worse."""
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
    axes.set_yticks(range(len(verdicts)), [f"{v.comparison.name}\nagainst {v.comparison.base}" for v in verdicts])
    axes.tick_params(axis="y", labelsize=8)
    axes.set_ylim(len(verdicts) - 0.5, -0.5)
    axes.set(title="Differences, 95 % intervals: thick each, thin all together",
             xlabel=f"difference,{measure.points or ' ' + measure.name}; grey: less than {margin:g}; "
             "filled: better or worse")  # fmt: skip
    style.save(figure, path)


def ends(value: Mapping[str, float | None]) -> list[list[float]] | None:
    """The arms of an error bar, or None where there is no interval."""
    mean, low, high = (value[name] for name in ("mean", "low", "high"))
    return None if mean is None or low is None or high is None else [[mean - low], [high - mean]]
