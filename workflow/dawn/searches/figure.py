"""The figure of a search: every trial over its rungs, and against the value of each searched setting."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dawn.config.search_plan import BASE, SearchPlan
from dawn.report import style
from dawn.searches.trials import Trial

COLUMNS = 3
LOOKS: dict[str, Any] = {
    "other": {"color": "0.55", "linewidth": 1, "markersize": 4},
    "base": {"color": style.COLOURS[4], "linestyle": "--"},
    "winner": {"color": style.COLOURS[6], "linewidth": 2.5},
}


def draw(plan: SearchPlan, trials: Sequence[Trial], best: Trial | None, path: Path) -> None:
    """Accuracy on the hold-out split over epochs, then a panel for each setting; a rung has its own marker."""
    keys = list(plan.search.space)
    lines = 1 + len(keys) // COLUMNS
    figure = style.figure(4 * min(COLUMNS, 1 + len(keys)), 3.4 * lines)
    panels = figure.subplots(lines, min(COLUMNS, 1 + len(keys)), squeeze=False).flat
    _rungs(plan, trials, best, next(panels))
    for key in keys:
        _setting(plan, key, trials, best, next(panels))
    for left in panels:
        left.set_axis_off()
    style.save(figure, path)


def _rungs(plan: SearchPlan, trials: Sequence[Trial], best: Trial | None, axes: Any) -> None:
    shown = set()
    for trial in trials:
        kind = _kind(trial, best)
        label = trial.name if kind != "other" else "other trials"
        points = [(e, a) for e, a in zip(plan.search.epochs.rungs, trial.accuracies, strict=False) if a is not None]
        if points:
            axes.plot(*zip(*points, strict=True), marker="o", label=None if label in shown else label,
                      zorder=2 if kind == "other" else 3, **LOOKS[kind])  # fmt: skip
            shown.add(label)
    axes.set(title="Successive halving", xlabel="epochs of the training", ylabel="hold-out accuracy, %", xscale="log")
    axes.set_xticks(plan.search.epochs.rungs, [f"{epochs:g}" for epochs in plan.search.epochs.rungs])
    axes.minorticks_off()
    axes.legend(fontsize=8)


def _setting(plan: SearchPlan, key: str, trials: Sequence[Trial], best: Trial | None, axes: Any) -> None:
    """The last accuracy of each trial over one setting."""
    values = plan.search.space[key]
    choices = [json.dumps(choice) for choice in values.choices]
    for trial in trials:
        last, setting = trial.accuracies[-1] if trial.accuracies else None, trial.settings.get(key)
        if last is None or not values.contains(setting):
            continue
        place = choices.index(json.dumps(setting)) if choices else setting
        look = LOOKS[_kind(trial, best)] | {
            "linestyle": "none",
            "marker": style.MARKERS[(len(trial.accuracies) - 1) % 8],
        }
        axes.plot([place], [last], markerfacecolor="none" if len(trial.accuracies) < len(plan.counts) else None, **look)
    if choices:
        axes.set_xticks(range(len(choices)), choices, fontsize=8)
    if values.log:
        axes.set_xscale("log")
    axes.set(title=key, xlabel="filled: trained to the last rung")


def _kind(trial: Trial, best: Trial | None) -> str:
    return "base" if trial.number == BASE else "winner" if trial is best else "other"
