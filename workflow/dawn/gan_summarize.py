"""Gather the seeds of a GAN into one set of metrics, each with its spread.

    python -m dawn.gan_summarize --params results/params.yaml --model results/model.json --out results/metrics.json
        --plots results results/seed-0 results/seed-1 ...

Of each measure mean, standard deviation and 95 % interval of the mean over seeds (dawn.results.statistics). One seed
and two have none over seeds; that over images is in evaluation.json. The seeds are verified by their manifests first.
Seeds of the experiment that are not among the arguments are listed as ``missing_seeds``.
"""

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import read_json, write_json
from dawn.results.gan_curve import COLUMNS, read_gan_curve
from dawn.results.independence import require_independent
from dawn.results.manifest import check
from dawn.results.measures import MEASURES

OF_TRAINING = ("seconds", "images_per_s", "peak_memory_bytes")


def summarize(seeds: list[Path], model: dict[str, Any], price: float | None = None) -> dict[str, Any]:
    """The metrics over the seeds; ``price`` is in dollars an hour."""
    measures = [read_json(seed / "evaluation.json")["measures"] for seed in seeds]
    trainings = [read_json(seed / "metrics.json") for seed in seeds]
    require_independent(str(seeds[0].parent), trainings)
    metrics: dict[str, Any] = {"seeds": len(seeds)}
    for name in measures[0]:
        metrics[name] = MEASURES[name].over([float(each[name]["value"]) for each in measures])
    metrics |= {name: MEASURES[name].over([float(t[name]) for t in trainings]) for name in OF_TRAINING}
    dollars = [price * t["seconds"] / 3600 for t in trainings] if price else None
    metrics["dollars"] = MEASURES["dollars"].over(dollars) if dollars else None
    return metrics | {
        f"{network}_{figure}": model[network][figure]
        for network in ("generator", "critic") for figure in ("parameters", "flops")
    }  # fmt: skip


def mean_curve(seeds: list[Path]) -> list[dict[str, float]]:
    """The mean over the seeds of each column of curve.tsv, a row an epoch."""
    curves = [[asdict(row) for row in read_gan_curve(seed / "curve.tsv")] for seed in seeds]
    return [
        {name: statistics.fmean(row[name] for row in rows) for name in COLUMNS} for rows in zip(*curves, strict=True)
    ]


def main() -> None:
    """Parse the command line, verify the seeds and write the metrics."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params")
    parser.add_argument("--model", type=Path, required=True, help="size and cost of the networks, JSON")
    cli.add_out(parser, "the metrics, JSON")
    parser.add_argument("--plots", type=Path, required=True, help="directory of curves.json")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        check(experiment, seed)
    metrics = summarize(args.seeds, read_json(args.model), experiment.submission.cost_per_hour)
    given = {seed.name for seed in args.seeds}
    if missing := [seed for seed in experiment.seeds if f"seed-{seed}" not in given]:
        metrics["missing_seeds"] = missing
    write_json(args.plots / "curves.json", mean_curve(args.seeds))
    write_json(args.out, metrics)


if __name__ == "__main__":
    cli.run(main)
