"""Write one training as a DAWNBench entry: a TSV of its curve and a JSON about the run.

    python -m dawn.dawnbench --params results/params.yaml --seed results/seed-0

DAWNBench's clock counts loading the data, building the network, here with its compilation, and training. It does not
count validation and checkpoints; the start of Python is not measured. The JSON's ``misc`` has the seconds of either
kind. Its top1Accuracy is that of the test split, so a training that was monitored on a hold-out (data.holdout) gets a
table without rows.
"""

import datetime
import importlib.metadata
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import write_json, write_table
from dawn.core.host import processor
from dawn.core.reading import read_json
from dawn.results.curve import read_curve
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.records import Training

COUNTED = ("load", "build", "compile")  # untimed phases that DAWNBench counts, before the first epoch


def rows(curve: Sequence[EpochMetrics], metrics: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Epoch, hours and accuracy in percent of each epoch after which the test split was evaluated."""
    if metrics["monitored"] != "test":
        return []
    before = sum(metrics["seconds_untimed"][phase] for phase in COUNTED)
    return [
        (math.ceil(row.epoch), f"{(before + row.seconds) / 3600:.10f}", f"{row.accuracy:.4f}")
        for row in curve
        if row.accuracy is not None
    ]


def clock(metrics: dict[str, Any]) -> dict[str, Any]:
    """The seconds by phase that the hours count and those that they do not; of restarts, the last one is measured."""
    untimed = metrics["seconds_untimed"]
    return {
        "secondsCounted": {phase: untimed[phase] for phase in COUNTED} | metrics["seconds_by_phase"],
        "secondsExcluded": {phase: seconds for phase, seconds in untimed.items() if phase not in COUNTED},
        "interruptions": metrics["resumed"],
    }


def entry(experiment: Experiment, metrics: dict[str, Any], day: datetime.date) -> dict[str, Any]:
    """The JSON's fields; those that are optional and unknown are left out."""
    who, settings = experiment.submission, experiment.train
    hardware = processor() if metrics["device"] == "cpu" else f"{metrics['processes']} x {metrics['device']}"
    images = experiment.data.holdout
    holdout = f"monitored on a hold-out of {images} training images (data.holdout), not on the test split"
    fields = {
        "version": "v1.0",
        "author": who.author,
        "authorEmail": who.email,
        "framework": f"PyTorch {importlib.metadata.version('torch')}",
        "model": experiment.model.title,
        "hardware": hardware,
        "timestamp": day.isoformat(),
        "codeURL": who.code_url,
        "costPerHour": who.cost_per_hour,
        "misc": {
            "seed": metrics["seed"],
            "epochs": settings.epochs,
            "batch": settings.batch,
            "precision": metrics["precision"],
            "schedule": settings.schedule.kind,
            **clock(metrics),
            **({} if metrics["monitored"] == "test" else {"noAccuracy": holdout}),
        },
    }
    return {name: value for name, value in fields.items() if value is not None}


def main() -> None:
    """Parse the command line and write both files."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params")
    parser.add_argument("--seed", type=Path, required=True, help="directory of a training")
    args = parser.parse_args()
    metrics = read_json(args.seed / "metrics.json", Training)
    day = datetime.datetime.fromtimestamp((args.seed / "curve.tsv").stat().st_mtime, datetime.UTC).date()
    write_json(args.seed / "dawnbench.json", entry(load(args.params), metrics, day))
    columns = ("epoch", "hours", "top1Accuracy")
    write_table(args.seed / "dawnbench.tsv", columns, rows(read_curve(args.seed / "curve.tsv", EpochMetrics), metrics))


if __name__ == "__main__":
    cli.run(main)
