"""What a study takes from the learning curves: values on the hold-out, and at an equal budget of seconds or FLOPs.

A measure of the monitored split is known at the ends of epochs, and linear between them. A training that ends within
the budget counts with its last value, as all do without a budget. The FLOPs of a training are three forward passes for
each image: a backward pass takes about two (Kaplan et al., arXiv 2001.08361, section 2.1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dawn.config.task import Measure
from dawn.core.cli import InputError
from dawn.results.curve import Values, number, read_columns
from dawn.results.measures import DECIDING
from dawn.studies.variants import Result

AT_BUDGET, ON_HOLDOUT = KEYS = ("at_budget", "on_holdout")  # names of the value in the evaluations
PASSES = 3


def measure_of(about: Mapping[str, Any]) -> Measure:
    """Return the measure that decides the study of this study.json."""
    measure, budget = DECIDING[about["measure"]], about.get("budget")
    name = f"hold-out {measure.name}" if on_holdout(about) else measure.name
    if budget:
        return replace(measure, key=AT_BUDGET, name=f"{name} at {words(budget)}", hits=False)
    return replace(measure, key=ON_HOLDOUT, name=name, hits=False) if on_holdout(about) else measure


def on_holdout(about: Mapping[str, Any]) -> bool:
    """Return whether the study decides on the hold-out."""
    return bool(about.get("split") == "holdout")


def words(budget: Mapping[str, float]) -> str:
    """Return a budget as text."""
    return f"{budget['seconds']:g} s" if budget["seconds"] else f"{budget['flops']:.3g} FLOP"


def with_curves(result: Result, run: Path, about: Mapping[str, Any]) -> Result:
    """Return the result with the value from its learning curve in the evaluation of each seed."""
    budget, evaluations = about.get("budget"), {}
    if not budget and not on_holdout(about):
        return result
    for seed, evaluation in result.evaluations.items():
        rows = [row for row in read_columns(run / f"seed-{seed}" / "curve.tsv") if row[about["measure"]] is not None]
        values = [number(row, about["measure"]) for row in rows]
        if budget:
            costs = [number(row, "seconds") for row in rows] if budget["seconds"] else flops(result, seed, rows, run)
            evaluations[seed] = evaluation | {AT_BUDGET: _at(budget, costs, values, f"{result.name}, seed {seed},")}
        else:
            evaluations[seed] = evaluation | {ON_HOLDOUT: values[-1]}
    return replace(result, evaluations=evaluations)


def _at(budget: Mapping[str, float], costs: Sequence[float], values: Sequence[float], name: str) -> float:
    """Return the value where the cost is the budget."""
    unit = "seconds" if budget["seconds"] else "flops"
    if budget[unit] < costs[0]:
        raise InputError(f"budget = {words(budget)}: {name} was first evaluated after "
                         f"{words({**budget, unit: costs[0]})}; raise the budget")  # fmt: skip
    return float(np.interp(budget[unit], costs, values))


def flops(result: Result, seed: int, rows: Sequence[Values], run: Path) -> list[float]:
    """Return the FLOPs of the training until the end of each of these epochs."""
    if (size := result.metrics) is None:
        raise InputError(f"{result.name} has no {run}/metrics.json, which has its FLOPs; finish it with snakemake")
    training = result.trainings[seed]
    whole = PASSES * size["flops"] * training["steps"] * result.batch
    sizes = result.choices["train"]["sizes"] or [[0.0, 1]]
    return [whole * pixels(sizes, number(row, "epoch") / training["epochs"]) for row in rows]


def pixels(sizes: Sequence[Sequence[float]], end: float) -> float:
    """Return the pixels of a training until the fraction ``end`` of it, over those of a whole one at the last size.

    ``sizes``: [fraction of the training, size of the images] pairs, as train.sizes.
    """
    starts = [start for start, _ in sizes]
    stops = [*starts[1:], 1.0]
    last = sizes[-1][1]
    return float(sum(max(0.0, min(stop, end) - start) * (size / last) ** 2
                     for (start, size), stop in zip(sizes, stops, strict=True)))  # fmt: skip
