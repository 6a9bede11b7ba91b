"""Variants at an equal budget of seconds or FLOPs: what the learning curve of each seed has there.

A measure of the monitored split is known at the ends of epochs, and linear between them. A training that ends within
the budget counts with its last value. The FLOPs of a training are three forward passes for each image: a backward pass
takes about two (Kaplan et al., arXiv 2001.08361, section 2.1).
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from dawn.core.cli import InputError
from dawn.results.curve import EpochMetrics, read_curve
from dawn.studies.measures import MEASURES, Measure
from dawn.studies.variants import Result

KEY = "at_budget"  # the name of the value in the evaluations
PASSES = 3


def measure_of(about: Mapping[str, Any]) -> Measure:
    """What decides the study of this study.json."""
    measure, budget = MEASURES[about["measure"]], about.get("budget")
    return replace(measure, key=KEY, name=f"{measure.name} at {words(budget)}") if budget else measure


def words(budget: Mapping[str, float]) -> str:
    """A budget as text."""
    return f"{budget['seconds']:g} s" if budget["seconds"] else f"{budget['flops']:.3g} FLOP"


def with_budget(result: Result, run: Path, about: Mapping[str, Any]) -> Result:
    """The result, with the value at the budget in the evaluation of each seed."""
    if not (budget := about.get("budget")):
        return result
    evaluations = {}
    for seed, evaluation in result.evaluations.items():
        rows = [row for row in read_curve(run / f"seed-{seed}" / "curve.tsv") if row.accuracy is not None]
        costs = [row.seconds for row in rows] if budget["seconds"] else flops(result, seed, rows, run)
        limit = budget["seconds"] or budget["flops"]
        if limit < costs[0]:
            raise InputError(f"budget = {words(budget)}: {result.name}, seed {seed}, was first evaluated after "
                             f"{words({**budget, _unit(budget): costs[0]})}; raise the budget")  # fmt: skip
        values = [getattr(row, about["measure"]) for row in rows]
        evaluations[seed] = evaluation | {KEY: float(np.interp(limit, costs, values))}
    return replace(result, evaluations=evaluations)


def _unit(budget: Mapping[str, float]) -> str:
    return "seconds" if budget["seconds"] else "flops"


def flops(result: Result, seed: int, rows: Sequence[EpochMetrics], run: Path) -> list[float]:
    """The FLOPs of the training until the end of each of these epochs."""
    if (size := result.metrics) is None:
        raise InputError(f"{result.name} has no {run}/metrics.json, which has its FLOPs; finish it with snakemake")
    training = result.trainings[seed]
    whole = PASSES * size["flops"] * training["steps"] * result.batch
    sizes = result.choices["train"]["sizes"] or [[0.0, 1]]
    return [whole * pixels(sizes, row.epoch / training["epochs"]) for row in rows]


def pixels(sizes: Sequence[Sequence[float]], end: float) -> float:
    """Pixels of the part of a training until the fraction ``end``, over those of a whole one at the last size.

    ``sizes``: [fraction of the training, size of the images] pairs, as train.sizes.
    """
    starts = [start for start, _ in sizes]
    stops = [*starts[1:], 1.0]
    last = sizes[-1][1]
    return float(sum(max(0.0, min(stop, end) - start) * (size / last) ** 2
                     for (start, size), stop in zip(sizes, stops, strict=True)))  # fmt: skip
