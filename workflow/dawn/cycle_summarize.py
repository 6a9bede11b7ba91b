"""Gather the seeds of a CycleGAN into one set of metrics, each with its spread.

    python -m dawn.cycle_summarize --params results/params.yaml --out results/metrics.json --plots results
        results/seed-0 results/seed-1 ...

Of each measure mean, standard deviation and 95 % interval of the mean over seeds (dawn.results.statistics), and of the
curves the mean over seeds, curves.json. One seed and two have no interval. The seeds are verified by their manifests
first.
"""

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_json
from dawn.results.cycle_curve import read_cycle_curve
from dawn.results.independence import require_independent
from dawn.results.manifest import check
from dawn.results.measures import MEASURES, measure_of

OF_TRAINING = ("seconds", "images_per_s", "peak_memory_bytes")


def summarize(seeds: list[Path], price: float | None = None) -> dict[str, Any]:
    """The metrics over the seeds; ``price`` is in dollars an hour."""
    evaluations = [read_json(seed / "evaluation.json") for seed in seeds]
    trainings = [read_json(seed / "metrics.json") for seed in seeds]
    require_independent(str(seeds[0].parent), trainings)
    metrics: dict[str, Any] = {"seeds": len(seeds)}
    for name in evaluations[0]["measures"]:
        metrics[name] = measure_of(name).over([float(each["measures"][name]["value"]) for each in evaluations])
    metrics |= {name: MEASURES[name].over([float(t[name]) for t in trainings]) for name in OF_TRAINING}
    dollars = [price * t["seconds"] / 3600 for t in trainings] if price else None
    metrics["dollars"] = MEASURES["dollars"].over(dollars) if dollars else None
    return metrics | {"parameters": trainings[0]["parameters"]}


def mean_curve(seeds: list[Path]) -> list[dict[str, float | None]]:
    """The mean over the seeds of each column of curve.tsv, a row an epoch."""
    curves = [[asdict(row) for row in read_cycle_curve(seed / "curve.tsv")] for seed in seeds]
    return [
        {name: None if rows[0][name] is None else statistics.fmean(row[name] for row in rows) for name in rows[0]}
        for rows in zip(*curves, strict=True)
    ]


def main() -> None:
    """Parse the command line, verify the seeds and write the metrics."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    cli.add_out(parser, "the metrics, JSON")
    parser.add_argument("--plots", type=Path, required=True, help="directory of curves.json")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        check(experiment, seed)
    write_json(args.plots / "curves.json", mean_curve(args.seeds))
    write_json(args.out, summarize(args.seeds, experiment.submission.cost_per_hour))


if __name__ == "__main__":
    cli.run(main)
