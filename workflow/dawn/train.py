"""Train the network of an experiment with one seed, and write its weights, its curve and its metrics.

    python -m dawn.train --params params.yaml --data data --stats data/stats.json --seed 0 --out results/seed-0
    torchrun --standalone --nproc-per-node 2 -m dawn.train ...        the same experiment on two processes

Writes model.safetensors, curve.tsv (a row for each epoch), metrics.json and, with run.trace, trace.tsv (a row for each
step); with run.tensorboard, TensorBoard's event files too; in a DVC stage, live metrics for dvc exp show.
Stopped by SIGTERM or SIGINT it writes a checkpoint and exits with 75; run again, it continues from there. A loss that
is not finite ends it with 76.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_table
from dawn.data.preprocessing import Preprocessing
from dawn.models import weights
from dawn.monitoring.energy import for_device
from dawn.monitoring.live import LiveMetrics
from dawn.monitoring.progress import Progress, classifier_line
from dawn.monitoring.run_metrics import classifier_metrics
from dawn.monitoring.tensorboard import EventFiles
from dawn.results.curve import write_curve
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.training.classifier import Classifier
from dawn.training.setup import set_up
from dawn.training.shutdown import DIVERGED, EXIT_CODE, Interrupted, StopRequest, stopping_together
from dawn.training.step import Diverged
from dawn.training.trainer import Trainer

TRACE = ("step", "lr", "momentum", "loss")


def train(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Train, continuing from a checkpoint where there is one, and write the results to ``args.out``."""
    stop = StopRequest(world.first)
    choices = experiment.text(*experiment.trained_by)
    clock = Clock(world.device, for_device(world))
    trainer = set_up(experiment, args.data, args.stats, args.seed, args.resume, world, clock)
    with stopping_together(stop), out_of_memory_explained(experiment, world):
        run(trainer, args.out, stop)
    metrics = classifier_metrics(trainer)
    if world.first:
        write(trainer, args, choices, metrics)
        trainer.delete_checkpoint()


def run(trainer: Trainer[Classifier], out: Path, stop: StopRequest) -> None:
    """Train to the end and report each epoch."""
    trainer.resume()
    reports = reports_of(trainer, out)
    with ExitStack() as stack:
        for report in reports:
            stack.enter_context(report)
        for epoch in trainer.run(stop, keep_checkpoint=True):
            for report in reports:
                report.epoch(epoch)


def reports_of(trainer: Trainer[Classifier], out: Path) -> list[Progress | LiveMetrics | EventFiles]:
    """Return what reports the epochs; only the first process writes files."""
    reports: list[Progress | LiveMetrics | EventFiles] = [Progress(trainer, classifier_line)]
    if trainer.world.first and trainer.experiment.run.tensorboard:
        reports.append(EventFiles(out / "tensorboard"))
    # A DVC stage has removed the old metrics, so that file is free for live ones until the new metrics are written.
    if trainer.world.first and os.environ.get("DVC_STAGE"):
        reports.append(LiveMetrics(out.parent / "metrics.json", out.name))
    return reports


@contextmanager
def out_of_memory_explained(experiment: Experiment, world: World) -> Iterator[None]:
    """Turn torch's error into one line that names the settings to change."""
    try:
        yield
    except torch.OutOfMemoryError as error:
        batch, parts = experiment.train.batch, experiment.train.accumulate
        raise cli.InputError(
            f"{world.device} has too little memory for train.batch {batch} in {parts} micro-batches; "
            "raise train.accumulate, or lower train.batch"
        ) from error


def write(trainer: Trainer[Classifier], args: argparse.Namespace, choices: str, metrics: dict[str, Any]) -> None:
    """Write the results of a finished training."""
    state, out = trainer.task.state, args.out
    classes = read_json(args.data / "dataset.json")["classes"]
    preprocessing = Preprocessing.of(trainer.experiment, args.data, args.stats).plain()
    write_curve(out / "curve.tsv", trainer.curve)
    if trainer.experiment.run.trace:
        write_table(out / "trace.tsv", TRACE, trainer.trace)
    write_json(out / "metrics.json", metrics)
    state.finish()
    weights.write_weights(out / "model.safetensors", state.net, choices, classes, preprocessing)


def main() -> None:
    """Parse and train; exit with 75 when interrupted, with 76 when the loss is not finite."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    parser.add_argument("--seed", type=int, required=True, help="decides initial weights, order and augmentation")
    cli.add_out(parser, "directory of the results")
    cli.add_resume(parser)
    args = parser.parse_args()
    if args.seed < 0:
        raise cli.InputError(f"--seed {args.seed}: at least 0")
    experiment = load(args.params)
    try:
        with joined() as world:
            train(args, experiment, world)
    except Interrupted:
        if os.environ.get("RANK", "0") == "0":
            print(f"seed {args.seed}: stopped; the same command continues from its checkpoint", file=sys.stderr)
        sys.exit(EXIT_CODE)
    except Diverged as error:  # on the first process alone
        print(f"dawn.train: {error}", file=sys.stderr)
        sys.exit(DIVERGED)


if __name__ == "__main__":
    cli.run(main)
