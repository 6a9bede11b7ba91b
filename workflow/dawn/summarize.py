"""Gather the seeds of an experiment into one set of metrics, each with its spread.

    python -m dawn.summarize --params results/params.yaml --model results/model.json --out results/metrics.json
        --plots results results/seed-0 results/seed-1 ...

A 95 % interval of a mean is Student's; that of a share is Wilson's. With one seed there is no interval, and none is
made up.
"""

import csv
import statistics
from pathlib import Path
from typing import Any

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_table, write_text
from dawn.results.manifest import check
from dawn.results.outliers import apart, at_chance
from dawn.results.statistics import Scale, expected_time, fraction, robust, spread

OF_EVALUATION: dict[str, Scale] = {
    "accuracy": "percent", "top5": "percent", "loss": "positive", "calibration_error": "positive",
    "calibration_error_if_calibrated": "positive",
}  # fmt: skip
OF_TRAINING: dict[str, Scale] = {
    "seconds": "positive", "images_per_s": "positive", "peak_memory_bytes": "positive", "train_loss": "positive",
    "train_accuracy": "percent",
}  # fmt: skip


def reached(curve: Path, target: float) -> tuple[float, float] | None:
    """Epochs and seconds of training until the monitored accuracy was first at the target; None if never."""
    with curve.open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if row["accuracy"] and float(row["accuracy"]) >= target:
                return float(row["epoch"]), float(row["seconds"])
    return None


def summarize(seeds: list[Path], target: float, model: dict[str, Any], price: float | None = None) -> dict[str, Any]:
    """The metrics over the seeds; ``price`` is in dollars an hour."""
    evaluations = [read_json(seed / "evaluation.json") for seed in seeds]
    trainings = [read_json(seed / "metrics.json") for seed in seeds]
    accuracies = {t["seed"]: e["accuracy"] for t, e in zip(trainings, evaluations, strict=True)}
    metrics: dict[str, Any] = {"seeds": len(seeds)}
    metrics |= {name: spread([e[name] for e in evaluations], scale) for name, scale in OF_EVALUATION.items()}
    metrics["accuracy"] |= robust(list(accuracies.values()))
    metrics["seeds_at_chance"] = at_chance(accuracies, evaluations[0]["confusion"])
    metrics["seeds_apart"] = apart(accuracies, evaluations[0]["images"])
    hits = fraction(sum(accuracy >= target for accuracy in accuracies.values()), len(seeds))
    metrics["target"] = {"accuracy": target, **hits, **to_target(seeds, trainings, target, price)}
    metrics |= {name: spread([float(t[name]) for t in trainings], scale) for name, scale in OF_TRAINING.items()}
    metrics["dollars"] = spread([price * t["seconds"] / 3600 for t in trainings], "positive") if price else None
    return metrics | {name: model[name] for name in ("parameters", "flops")}


def to_target(seeds: list[Path], trainings: list[dict[str, Any]], target: float, price: float | None) -> dict[str, Any]:
    """How many seeds reached the target in training, after how many epochs, seconds and dollars.

    These are means of the seeds that reached it; ``expected_seconds`` counts what the others spent in vain as well.
    """
    found = [reached(seed / "curve.tsv", target) for seed in seeds]
    arrivals = [arrival for arrival in found if arrival is not None]
    seconds = [arrival[1] for arrival in arrivals]
    whole = [float(training["seconds"]) for training in trainings]
    return {
        "seeds_in_training": len(arrivals),
        "epochs": spread([epochs for epochs, _ in arrivals], "positive") if arrivals else None,
        "seconds": spread(seconds, "positive") if arrivals else None,
        "dollars": spread([price * s / 3600 for s in seconds], "positive") if arrivals and price else None,
        "expected_seconds": expected_time([arrival and arrival[1] for arrival in found], whole),
    }


def curves(seeds: list[Path]) -> list[dict[str, float | None]]:
    """The curve of the mean seed: a row an epoch; None where an epoch was not monitored."""
    tables = []
    for seed in seeds:
        with (seed / "curve.tsv").open(encoding="utf-8") as file:
            tables.append(list(csv.DictReader(file, delimiter="\t")))
    return [
        {name: statistics.fmean(float(row[name]) for row in rows) if rows[0][name] else None for name in rows[0]}
        for rows in zip(*tables, strict=True)
    ]


def plots(seeds: list[Path], out: Path) -> None:
    """What DVC plots: curves.json, confusion.csv (a row an image of each seed), classes.csv (means, in percent)."""
    write_json(out / "curves.json", curves(seeds))
    lines = [(seed / "confusion.csv").read_text(encoding="utf-8").splitlines() for seed in seeds]
    write_text(out / "confusion.csv", "\n".join([lines[0][0], *(line for part in lines for line in part[1:])]) + "\n")
    judged = [read_json(seed / "evaluation.json")["classes"] for seed in seeds]
    rows = [(name, *(mean([j[name][of] for j in judged]) for of in ("recall", "precision"))) for name in judged[0]]
    write_table(out / "classes.csv", ("class", "recall", "precision"), rows, separator=",")


def mean(values: list[float | None]) -> float | None:
    """The mean of those that are numbers."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def main() -> None:
    """Parse, gather, write."""
    parser = cli.parser(main)
    parser.add_argument("seeds", type=Path, nargs="+", help="directories of the trained and evaluated seeds")
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--model", type=Path, required=True, help="the network in figures, JSON")
    parser.add_argument("--out", type=Path, required=True, help="the metrics, JSON")
    parser.add_argument("--plots", type=Path, help="directory of curves.json, confusion.csv and classes.csv")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        check(experiment, seed)
    price = experiment.submission.cost_per_hour
    metrics = summarize(args.seeds, experiment.evaluate.target, read_json(args.model), price)
    if args.plots is not None:
        plots(args.seeds, args.plots)
    write_json(args.out, metrics)


if __name__ == "__main__":
    cli.run(main)
