"""The files of a finished search: the page, its figure, all trials, and the study that tests the winner."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dawn.config.experiment import flat
from dawn.config.search import BASE, SearchPlan
from dawn.core.cli import InputError
from dawn.core.files import replacing, write_table, write_text
from dawn.report import style
from dawn.report.page import Block, Bullets, Heading, Image, Paragraph, Table, markdown, web
from dawn.searches.trials import Trial, load, winner_of
from dawn.searches.winner import command, optimism, seeds, study, study_file


def write(plan: SearchPlan, directory: Path) -> None:
    """Read the results of all trials, and write all files, the page last."""
    trials = load(plan, directory, plan.search.rounds)
    best = winner_of(plan, trials)
    if best is None:
        raise InputError(f"search {plan.name}: every trial diverged before its last epoch; lower the learning rates "
                         "of the space")  # fmt: skip
    _csv(plan, trials, directory / "trials.csv")
    _journal(plan, trials, directory / "optuna.log")
    draw(plan, trials, best, directory / "trials.png")
    write_text(directory / Path(study_file(plan)).name, study(plan, best))
    parts = blocks(plan, trials, best, directory / "trials.png")
    write_text(directory / "page.html", web(plan.name, parts))
    write_text(directory / "page.md", markdown(parts, directory))


def _csv(plan: SearchPlan, trials: list[Trial], path: Path) -> None:
    """Write a line for each trial: its settings, its accuracy at each rung, its seconds."""
    keys, rungs = list(plan.search.space), plan.search.epochs.rungs
    columns = ["trial", "round", *keys, *(f"accuracy_{epochs:g}_epochs" for epochs in rungs), "seconds"]
    rows = [[t.number, t.round, *(t.settings.get(key) for key in keys),
             *(t.accuracies + [None] * (len(rungs) - len(t.accuracies))), t.seconds] for t in trials]  # fmt: skip
    write_table(path, columns, rows, ",")


def _journal(plan: SearchPlan, trials: list[Trial], path: Path) -> None:
    """Write the trials as a journal of Optuna."""
    from optuna.storages import JournalStorage
    from optuna.storages.journal import JournalFileBackend

    from dawn.searches.proposals import optuna_study

    with replacing(path) as partial:
        partial.unlink(missing_ok=True)
        optuna_study(plan, trials, JournalStorage(JournalFileBackend(str(partial))))


def blocks(plan: SearchPlan, trials: Sequence[Trial], best: Trial, figure: Path) -> list[Block]:
    """All of the page."""
    return [
        Heading(plan.search.question, 1),
        Paragraph(result(plan, trials, best), bold=True),
        Paragraph(caution(plan, trials, best)),
        Paragraph(command(plan)),
        _winner(plan, best),
        Heading("Trials"),
        Image(figure, "hold-out accuracy of the trials"),
        table(plan, trials, best),
        Heading("Method"),
        Bullets(method(plan, trials)),
    ]


def result(plan: SearchPlan, trials: Sequence[Trial], best: Trial) -> str:
    """The best trial and the base in one sentence."""
    base = next(trial for trial in trials if trial.number == BASE)
    accuracy = f"{best.accuracies[-1]:.2f} %"
    claim = f"{best.name.capitalize()} has the best hold-out accuracy, {accuracy}"
    if base.score[0] < len(plan.counts):
        return f"{claim}; the base diverged."
    other = f"{base.accuracies[-1]:.2f} %"
    if base.score >= best.score:
        return (f"No trial was better on the hold-out split than the base, which has {other}. The best of the others "
                f"is {best.name} with {accuracy}.")  # fmt: skip
    return f"{claim}; the base has {other}."


def caution(plan: SearchPlan, trials: Sequence[Trial], best: Trial) -> str:
    """Say what the winner's accuracy is worth, and what decides."""
    tried = sum(trial.number != BASE for trial in trials)
    low, high = (
        max(0.0, plan.search.spread * optimism(plan.counts, plan.search.rounds, persistent))
        for persistent in (False, True)
    )
    by_chance = "" if tried < 2 else (
        f" If all trials were equally good, simulated searches of this shape put it {_points(low, high)} above its "
        f"true value, at a spread of {plan.search.spread:g}."
    )  # fmt: skip
    if tried > 1 and high - low > 0.005:
        by_chance += (" The lower end is for chance that is new in each training, the upper one for chance that stays "
                      "with the settings, such as that of the held-out images.")  # fmt: skip
    return (
        f"This accuracy is optimistic, because the search chose the best of {count(tried)} by it, with one seed each."
        f"{by_chance} Whether the winner is better than the base is decided by the study below: both are trained with "
        f"{seeds(plan, best.settings)} seeds that the search did not use, and evaluated on the test split, which the "
        f"search did not use either. So many seeds detect a difference of {plan.search.difference:g} points four times "
        f"in five, at a spread of {plan.search.spread:g}."
    )


def _points(low: float, high: float) -> str:
    text = [f"{value:.2f}" for value in (low, high)]
    return f"{text[0]} points" if text[0] == text[1] else f"{text[0]} to {text[1]} points"


def count(trials: int) -> str:
    """``1 trial`` or ``9 trials``."""
    return f"{trials} trial{'s' * (trials != 1)}"


def _winner(plan: SearchPlan, best: Trial) -> Table:
    base = flat(plan.base.model_dump(mode="json"))
    rows = [[key, show(base.get(key)), show(value)] for key, value in best.settings.items()]
    return Table(["setting", "base", best.name], rows, "Settings of the winner")


def table(plan: SearchPlan, trials: Sequence[Trial], best: Trial) -> Table:
    """Every trial, the best first."""
    keys, rungs = list(plan.search.space), plan.search.epochs.rungs
    names = [key if sum(k.endswith("." + key.rpartition(".")[2]) for k in keys) > 1 else key.rpartition(".")[2]
             for key in keys]  # fmt: skip
    rows = []
    for trial in sorted(trials, key=lambda t: t.score, reverse=True):
        cells = [f"{a:.2f}" if a is not None else "diverged" for a in trial.accuracies]
        cells += ["–"] * (len(rungs) - len(cells))
        name = f"{trial.name} (winner)" if trial is best else trial.name
        rows.append([name, str(trial.round), *(show(trial.settings.get(key)) for key in keys), *cells,
                     f"{trial.seconds:.0f}"])  # fmt: skip
    heads = ["trial", "round", *names, *(f"{epochs:g} epoch{'s' * (epochs != 1)}, %" for epochs in rungs), "seconds"]
    return Table(heads, rows, "Hold-out accuracy by the epochs of a training; –: stopped by successive halving")


def method(plan: SearchPlan, trials: Sequence[Trial]) -> list[str]:
    """Say how the trials were chosen and trained."""
    search, data = plan.search, plan.base.data
    trainings, hours = sum(len(trial.accuracies) for trial in trials), sum(trial.seconds for trial in trials) / 3600
    return [
        f"{count(search.trials)} in each of {search.rounds} round{'s' * (search.rounds > 1)}; {trainings} trainings, "
        f"{hours:.2g} h of training, with seed {search.seed}",
        f"accuracy after the last epoch on {data.holdout:,} images held out of train (data.holdout_seed "
        f"{data.holdout_seed}); the test split was not read",
        f"epochs at the rungs: {', '.join(f'{epochs:g}' for epochs in search.epochs.rungs)}; at each rung the best of "
        f"each {search.epochs.factor} trials of a round goes on. Each training starts anew and runs its whole "
        "schedule, so no accuracy is that of an unfinished one",
        "settings of the first round: a scrambled Sobol sequence; later rounds: a tree-structured Parzen estimator",
        *(f"{key}: {domain(plan, key)}" for key in search.space),
    ]


def domain(plan: SearchPlan, key: str) -> str:
    """The values that a setting could take."""
    values = plan.search.space[key]
    if values.choices:
        return ", ".join(map(show, values.choices))
    kind = " whole numbers" * values.integer + " on a logarithmic scale" * values.log
    return f"{values.ends[0]:g} to {values.ends[1]:g}{',' * bool(kind)}{kind}"


def show(value: object) -> str:
    """A setting in a cell."""
    if isinstance(value, float):
        return f"{value:.4g}"
    return str(list(value)) if isinstance(value, tuple) else str(value)


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
