"""The result of any task as parts of a page: its measures over the seeds, its figures, and each seed."""

from collections.abc import Sequence

from dawn.config.task import Measure
from dawn.report.numbers import count, described, limits, std
from dawn.report.origin import equal_seeds
from dawn.report.page import Block, Heading, Image, Table
from dawn.results.measures import MEASURES, value
from dawn.results.run import Run

SECONDS = MEASURES["seconds"]


def claim(run: Run) -> str:
    """The result in one line: the first measure that the seeds have."""
    first = shown(run)[0]
    return f"{first.heading} {described(run.metrics[first.key], first.digits, first.suffix)} over {seeds_of(run)}"


def seeds_of(run: Run) -> str:
    """Say how many seeds there are, and which are missing after a run that did not finish all."""
    number, missing = len(run.seeds), run.metrics.get("missing_seeds")
    if missing:
        return f"{number} of {number + len(missing)} seeds (not finished: {', '.join(map(str, missing))})"
    return count(number, "seed")


def shown(run: Run) -> list[Measure]:
    """The measures that the seeds have, in the order in which the task declares them."""
    return [measure for measure in run.experiment.declared.measures if run.metrics.get(measure.key)]


def result(run: Run) -> list[Block]:
    """The measures over the seeds, each seed, and the figures."""
    return [*equal_seeds(run.seeds), *figures(run), *over_seeds(run, shown(run)), *by_seed(run, shown(run))]


def over_seeds(run: Run, measures: Sequence[Measure]) -> list[Block]:
    """A row for each measure, and for the seconds of a training."""
    rows = []
    for measure in (*measures, SECONDS):
        spread, digits = run.metrics[measure.key], measure.digits
        mean = f"{spread['mean']:,.{digits}f}"
        rows.append((measure.title, measure.better, mean, limits(spread, digits), std(spread, digits)))
    return [Heading("Measures"), Table(("over the seeds", "better", "mean", "95 % interval", "std"), rows)]


def by_seed(run: Run, measures: Sequence[Measure]) -> list[Block]:
    """A row for each seed."""
    rows = [
        (str(training["seed"]), *(f"{value(evaluation, m.key):,.{m.digits}f}" for m in measures),
         f"{training['seconds']:,.{SECONDS.digits}f}")
        for evaluation, training in zip(run.evaluations, run.trainings, strict=True)
    ]  # fmt: skip
    return [Heading("Seeds"), Table(("seed", *(measure.title for measure in measures), SECONDS.title), rows)]


def figures(run: Run, captions: dict[str, str] | None = None) -> list[Block]:
    """The figures that are there: all that the task declares, or those with a caption."""
    declared = {figure.name: figure.title for figure in run.experiment.declared.figures}
    named = {run.plots / f"{name}.png": text for name, text in (captions or declared).items()} if run.plots else {}
    return [Image(path, text) for path, text in named.items() if path.is_file()]
