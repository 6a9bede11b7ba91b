"""Gather the seeds of an experiment into one set of metrics, each with its spread.

    python -m dawn.summarize --params results/params.yaml --model results/model.json --out results/metrics.json
        --plots results results/seed-0 results/seed-1 ...

Intervals are of 95 % (dawn.results.statistics); one seed and two have none. Seeds that learned nothing or lie apart are
listed and not left out (dawn.results.outliers). The seeds are verified by their manifests first. Seeds of the
experiment that are not among the arguments are listed as ``missing_seeds``.
"""

import statistics
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_table, write_text
from dawn.results.curve import COLUMNS, EpochMetrics, at_target, read_curve
from dawn.results.independence import require_independent
from dawn.results.manifest import check
from dawn.results.measures import MEASURES, OF_CLASSIFIER, over_seeds
from dawn.results.outliers import apart, at_chance
from dawn.results.statistics import expected_time, fraction, robust

OF_TRAINING = ("seconds", "images_per_s", "peak_memory_bytes", "train_loss", "train_accuracy")


def summarize(seeds: list[Path], target: float, model: dict[str, Any], price: float | None = None) -> dict[str, Any]:
    """The metrics over the seeds; ``price`` is in dollars an hour."""
    evaluations = [read_json(seed / "evaluation.json") for seed in seeds]
    trainings = [read_json(seed / "metrics.json") for seed in seeds]
    require_independent(str(seeds[0].parent), trainings)
    curves = [read_curve(seed / "curve.tsv") for seed in seeds]
    accuracies = {t["seed"]: e["accuracy"] for t, e in zip(trainings, evaluations, strict=True)}
    metrics: dict[str, Any] = {"seeds": len(seeds)}
    metrics |= {measure.key: over_seeds(evaluations, measure) for measure in OF_CLASSIFIER}
    metrics["accuracy"] |= robust(list(accuracies.values()))
    metrics["seeds_at_chance"] = at_chance(accuracies, evaluations[0]["confusion"])
    metrics["seeds_apart"] = apart(accuracies, evaluations[0]["images"])
    hits = fraction(sum(accuracy >= target for accuracy in accuracies.values()), len(seeds))
    metrics["target"] = {"accuracy": target, **hits, **to_target(curves, target, price)}
    metrics |= {name: MEASURES[name].over([float(t[name]) for t in trainings]) for name in OF_TRAINING}
    dollars = [price * t["seconds"] / 3600 for t in trainings] if price else None
    metrics["dollars"] = MEASURES["dollars"].over(dollars) if dollars else None
    return metrics | {name: model[name] for name in ("parameters", "flops")}


def to_target(curves: Sequence[Sequence[EpochMetrics]], target: float, price: float | None) -> dict[str, Any]:
    """How many seeds reached the target in training, after how many epochs, seconds and dollars.

    These are means of the seeds that reached it; ``expected_seconds`` counts what the others spent in vain as well.
    """
    reached = [at_target(curve, target) for curve in curves]
    rows = [row for row in reached if row is not None]
    values = {
        "epochs": [row.epoch for row in rows],
        "seconds": [row.seconds for row in rows],
        "dollars": [price * row.seconds / 3600 for row in rows] if price else [],
    }
    return {
        "seeds_in_training": len(rows),
        **{name: MEASURES[name].over(found) if found else None for name, found in values.items()},
        "expected_seconds": expected_time(
            [None if row is None else row.seconds for row in reached], [curve[-1].seconds for curve in curves]
        ),
    }


def mean_curve(curves: Sequence[Sequence[EpochMetrics]]) -> list[dict[str, float | None]]:
    """The mean over the seeds of each column, a row an epoch; None where an epoch was not monitored."""
    return [
        {name: mean([getattr(row, name) for row in rows]) for name in COLUMNS} for rows in zip(*curves, strict=True)
    ]


def plots(seeds: list[Path], out: Path) -> None:
    """Write what DVC plots: curves.json, confusion.csv (a row an image of each seed), classes.csv (means, percent)."""
    write_json(out / "curves.json", mean_curve([read_curve(seed / "curve.tsv") for seed in seeds]))
    lines = [(seed / "confusion.csv").read_text(encoding="utf-8").splitlines() for seed in seeds]
    write_text(out / "confusion.csv", "\n".join([lines[0][0], *(line for part in lines for line in part[1:])]) + "\n")
    measures, evaluated = ("recall", "precision"), [read_json(seed / "evaluation.json")["classes"] for seed in seeds]
    rows = [(name, *(mean([e[name][measure] for e in evaluated]) for measure in measures)) for name in evaluated[0]]
    write_table(out / "classes.csv", ("class", *measures), rows, separator=",")


def mean(values: list[float | None]) -> float | None:
    """The mean of those that are numbers."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def main() -> None:
    """Parse the command line, verify the seeds and write the metrics."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--model", type=Path, required=True, help="size and cost of the network, JSON")
    cli.add_out(parser, "the metrics, JSON")
    parser.add_argument("--plots", type=Path, help="directory of curves.json, confusion.csv and classes.csv")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        check(experiment, seed)
    price = experiment.submission.cost_per_hour
    metrics = summarize(args.seeds, experiment.evaluate.target, read_json(args.model), price)
    given = {seed.name for seed in args.seeds}
    if missing := [seed for seed in experiment.seeds if f"seed-{seed}" not in given]:
        metrics["missing_seeds"] = missing
    if args.plots is not None:
        plots(args.seeds, args.plots)
    write_json(args.out, metrics)


if __name__ == "__main__":
    cli.run(main)
