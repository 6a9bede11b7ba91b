"""``dawn.summarize`` for a classifier: seeds that fail, time to target, confusion over the seeds."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.core.files import write_table
from dawn.core.reading import read_json, read_table
from dawn.results.curve import Values, at_target, mean, number, read_columns
from dawn.results.measures import MEASURES, over
from dawn.results.outliers import apart, at_chance
from dawn.results.statistics import expected_time, fraction, robust
from dawn.tasks.classify.mistakes import write_mistakes
from dawn.tasks.classify.records import Evaluation

CONFUSION = ("actual", "predicted")  # columns
OF_TRAINING = ("train_loss", "train_accuracy")


def summarize(
    experiment: Experiment, seeds: Sequence[Path], evaluations: Sequence[dict[str, Any]],
    trainings: Sequence[dict[str, Any]], metrics: dict[str, Any],
) -> dict[str, Any]:  # fmt: skip
    """Return what the ``metrics`` of a classifier have besides the measures over its seeds."""
    target, price = experiment.evaluate.target, experiment.submission.cost_per_hour
    curves = [read_columns(seed / "curve.tsv", "accuracy") for seed in seeds]
    accuracies = {t["seed"]: e["accuracy"] for t, e in zip(trainings, evaluations, strict=True)}
    no_better, unclear = at_chance(accuracies, evaluations[0]["confusion"])
    return {
        "accuracy": metrics["accuracy"] | robust(list(accuracies.values())),
        "seeds_at_chance": no_better,
        "seeds_not_above_chance": unclear,
        "seeds_apart": apart(accuracies, evaluations[0]["images"]),
        "target": None if target is None else at(target, list(accuracies.values())) | to_target(curves, target, price),
        **{name: over([float(t[name]) for t in trainings], MEASURES[name]) for name in OF_TRAINING},
    }


def at(target: float, accuracies: Sequence[float]) -> dict[str, Any]:
    """Return the target, and the percentage of the seeds whose test accuracy is at least that."""
    return {"accuracy": target, **fraction(sum(accuracy >= target for accuracy in accuracies), len(accuracies))}


def to_target(curves: Sequence[Sequence[Values]], target: float, price: float | None) -> dict[str, Any]:
    """Return how many seeds reached the target in training, after how many epochs, seconds and dollars.

    These are means of the seeds that reached it; ``expected_seconds`` counts what the others spent in vain as well.
    """
    reached = [at_target(curve, target) for curve in curves]
    rows = [row for row in reached if row is not None]
    values = {
        "epochs": [number(row, "epoch") for row in rows],
        "seconds": [number(row, "seconds") for row in rows],
        "dollars": [price * number(row, "seconds") / 3600 for row in rows] if price else [],
    }
    return {
        "seeds_in_training": len(rows),
        **{name: over(some, MEASURES[name]) if some else None for name, some in values.items()},
        "expected_seconds": expected_time(
            [None if row is None else number(row, "seconds") for row in reached],
            [number(curve[-1], "seconds") for curve in curves],
        ),
    }


def write(seeds: Sequence[Path], out: Path) -> None:
    """Write confusion.csv (a row an image of each seed), classes.csv (means, percent) and mistakes.csv."""
    rows = [list(row.values()) for seed in seeds for row in read_table(seed / "confusion.csv", columns=CONFUSION)]
    write_table(out / "confusion.csv", CONFUSION, rows, separator=",")
    measures = "recall", "precision"
    evaluated = [read_json(seed / "evaluation.json", Evaluation)["classes"] for seed in seeds]
    means = [(name, *(mean([e[name][measure] for e in evaluated]) for measure in measures)) for name in evaluated[0]]
    write_table(out / "classes.csv", ("class", *measures), means, separator=",")
    write_mistakes(out / "mistakes.csv", seeds, list(evaluated[0]))
