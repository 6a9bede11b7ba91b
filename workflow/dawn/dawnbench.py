"""Write one training as DAWNBench took its entries: a TSV of the curve and a JSON about the run.

    python -m dawn.dawnbench --params results/params.yaml --seed results/seed-0

Its clock counts loading the data and building the network, and not validation and checkpoints.
"""

import csv
import datetime
import importlib.metadata
import math
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_table
from dawn.core.host import processor


def rows(curve: Path, metrics: dict[str, Any]) -> list[tuple[int, str, str]]:
    """Epoch, hours and accuracy in percent of every epoch that was monitored."""
    beside = metrics["seconds_beside"]
    before = beside["load"] + beside["build"]
    with curve.open(encoding="utf-8") as file:
        return [
            (
                math.ceil(float(row["epoch"])),
                f"{(before + float(row['seconds'])) / 3600:.10f}",
                f"{float(row['accuracy']):.4f}",
            )
            for row in csv.DictReader(file, delimiter="\t")
            if row["accuracy"]
        ]


def entry(experiment: Experiment, metrics: dict[str, Any], day: datetime.date) -> dict[str, Any]:
    """The JSON's fields; those that are optional and unknown are left out."""
    who, settings = experiment.submission, experiment.train
    hardware = processor() if metrics["device"] == "cpu" else f"{metrics['processes']} x {metrics['device']}"
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
        },
    }
    return {name: value for name, value in fields.items() if value is not None}


def main() -> None:
    """Parse, convert, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--seed", type=Path, required=True, help="directory of a training")
    args = parser.parse_args()
    metrics = read_json(args.seed / "metrics.json")
    day = datetime.datetime.fromtimestamp((args.seed / "curve.tsv").stat().st_mtime, datetime.UTC).date()
    write_json(args.seed / "dawnbench.json", entry(load(args.params), metrics, day))
    columns = ("epoch", "hours", "top1Accuracy")
    write_table(args.seed / "dawnbench.tsv", columns, rows(args.seed / "curve.tsv", metrics))


if __name__ == "__main__":
    cli.run(main)
