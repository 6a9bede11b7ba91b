"""The page of a search: the best trial, why its accuracy is optimistic, and all trials."""

from collections.abc import Sequence
from pathlib import Path

from dawn.config.experiment import flat
from dawn.config.search_plan import BASE, SearchPlan
from dawn.report.page import Block, Bullets, Heading, Image, Paragraph, Table
from dawn.searches.trials import Trial
from dawn.searches.winner import optimism, seeds, study_file


def blocks(plan: SearchPlan, trials: Sequence[Trial], best: Trial, figure: Path) -> list[Block]:
    """All of the page."""
    return [
        Heading(plan.search.question, 1),
        Paragraph(result(plan, trials, best), bold=True),
        Paragraph(caution(plan, trials, best)),
        Paragraph(f"snakemake study --config study={study_file(plan)}"),
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
