"""The result of any task as parts of a page: measures, figures and seeds, the time by phase, machine, code and data."""

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from dawn.config.task import Measure
from dawn.core.reading import read_text
from dawn.report.numbers import count, described, limits, std
from dawn.report.page import Block, Bullets, Heading, Image, Paragraph, Table
from dawn.results.independence import starting_points, suspicious
from dawn.results.manifest import seed_number
from dawn.results.measures import MEASURES, value
from dawn.results.phases import PHASES, TIMED
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


def times(trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """Seconds of a training by phase, over the seeds; ``trainings`` are their metrics.json."""
    rows = []
    measured = [{**training["seconds_by_phase"], **training["seconds_untimed"]} for training in trainings]
    for phase, text in PHASES.items():
        seconds = [by_phase[phase] for by_phase in measured if phase in by_phase]
        if not any(value >= 0.05 for value in seconds):
            continue  # rounds to nothing
        span = f"{min(seconds):,.1f} to {max(seconds):,.1f}" if len(seconds) > 1 else ""
        timed = "timed" if phase in TIMED else "not timed"
        rows.append((phase, text, timed, f"{statistics.fmean(seconds):,.1f}", span))
    return [Heading("Seconds of a training"), Table(("phase", "what is done", "clock", "mean", "range"), rows)]


def high_losses(trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """A paragraph where the loss of a training was far too high after its first tenth; others have no mark."""
    marked = {training["seed"]: training["high_loss"] for training in trainings if training.get("high_loss")}
    if not marked:
        return []
    first, *others = (
        f"seed {seed} had a mean loss of {mark['loss']:.4g} in epoch {mark['epoch']:g}" for seed, mark in marked.items()
    )
    mark = next(iter(marked.values()))
    text = "; ".join([f"Diverged: {first}", *others])
    return [Paragraph(f"{text}. A constant output has {mark['constant_output']:.3g}; {mark['remedy']}.", bold=True)]


def equal_seeds(seeds: Sequence[Path]) -> list[Block]:
    """A paragraph where seeds, given by their directories, have equal losses; independent trainings do not."""
    curves = {seed_number(path): read_text(path / "curve.tsv") for path in seeds}
    return [Paragraph(text, bold=True) for text in suspicious(curves)]


def differing(provenance: Mapping[str, Any]) -> dict[str, str]:
    """In what the machines and packages of the seeds differ, with the values of each: at most five lines."""
    parts = provenance.get("differences", {})
    lines = {
        name: "; ".join(f"{value} (seed {', '.join(map(str, seeds))})" for value, seeds in values.items())
        for name, values in list(parts.items())[:5]
    }
    return lines | ({"more": f"{len(parts) - 5} parts, see provenance.json"} if len(parts) > 5 else {})


def origin(provenance: Mapping[str, Any], trainings: Sequence[Mapping[str, Any]]) -> list[Block]:
    """The machine, and what the numbers came out of: provenance.json, and metrics.json of each training."""
    training = trainings[0]
    machine, code, data = provenance["machine"], provenance["code"], provenance["data"]
    gpus, torch = "; ".join(machine["gpus"]) or "none", provenance["packages"].get("torch", "unknown")
    where = [
        f"trained on: {training['processes']} x {training['device']}, {training['precision']}",
        f"CPU: {machine['cpu']}, {machine['cores']} cores; GPU: {gpus}",
        f"{machine['system']}; Python {provenance['python']}, torch {torch}",
        f"container: {machine['image'] or 'none'}",
        *(f"the seeds differ in {name}: {values}" for name, values in differing(provenance).items()),
    ]
    commit = "not in a git repository" if code["commit"] is None else code["commit"]
    made = [
        f"code: {commit}{', with uncommitted changes' if code['dirty'] else ''}",
        *(f"{name}: sha256 {digest[:16]}" for name, digest in code["locks"].items()),
        f"data: sha256 {data.get('sha256') or 'unknown'}",
        starting_points(trainings),
        f"written {provenance['written']}",
    ]
    return [Heading("Machine"), Bullets(where), Heading("Provenance"), Bullets(made)]
