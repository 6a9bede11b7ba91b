"""Train a CycleGAN with one seed, and write its weights, its curve, translations along the training and its metrics.

    python -m dawn.cycle_train --params params.yaml --data data --seed 0 --out results/seed-0
    torchrun --standalone --nproc-per-node 2 -m dawn.cycle_train ...        the same experiment on two processes

Reads the domains that dawn.domains wrote. Writes model.safetensors (to_a.* and to_b.* are the generators), curve.tsv (a
row for each epoch), progress.npy (uint8 (epochs, 64, h, w, 3): the first 32 test images of A translated, then those of
B), metrics.json and, with run.trace, trace.tsv (a row for each step). Stopped by SIGTERM or SIGINT it writes a
checkpoint, image pools included, and exits with 75; run again, it continues from there, and ends with the same bytes.
"""

import argparse
import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import numpy as np

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, replacing, write_json, write_table
from dawn.cycles import weights
from dawn.cycles.setup import set_up
from dawn.cycles.task import TRACE, CycleTask
from dawn.monitoring.energy import for_device
from dawn.monitoring.live import LiveMetrics
from dawn.monitoring.progress import Progress, cycle_line
from dawn.monitoring.run_metrics import cycle_metrics
from dawn.monitoring.tensorboard import EventFiles
from dawn.results.cycle_curve import write_cycle_curve
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.training.shutdown import EXIT_CODE, Interrupted, StopRequest, stopping_together
from dawn.training.trainer import Trainer


def train(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Train, continuing from a checkpoint where there is one, and write the results to ``args.out``."""
    stop = StopRequest(world.first)
    choices = experiment.text(*experiment.trained_by)
    trainer = set_up(experiment, args.data, args.seed, args.resume, world, Clock(world.device, for_device(world)))
    with stopping_together(stop):
        run(trainer, args.out, stop)
    metrics = cycle_metrics(trainer)
    if world.first:
        write(trainer, args, choices, metrics)
        trainer.delete_checkpoint()


def run(trainer: Trainer[CycleTask], out: Path, stop: StopRequest) -> None:
    """Train to the end and report each epoch."""
    trainer.resume()
    reports: list[Progress | LiveMetrics | EventFiles] = [Progress(trainer, cycle_line)]
    if trainer.world.first and trainer.experiment.run.tensorboard:
        reports.append(EventFiles(out / "tensorboard"))
    if trainer.world.first and os.environ.get("DVC_STAGE"):
        reports.append(LiveMetrics(out.parent / "metrics.json", out.name))
    with ExitStack() as stack:
        for report in reports:
            stack.enter_context(report)
        for epoch in trainer.run(stop, keep_checkpoint=True):
            for report in reports:
                report.epoch(epoch)


def write(trainer: Trainer[CycleTask], args: argparse.Namespace, choices: str, metrics: dict[str, Any]) -> None:
    """Write the results of a finished training."""
    task, out = trainer.task, args.out
    names = read_json(args.data / "domains.json")["names"]
    write_cycle_curve(out / "curve.tsv", trainer.curve)
    if trainer.experiment.run.trace:
        write_table(out / "trace.tsv", TRACE, trainer.trace)
    with replacing(out / "progress.npy") as partial, partial.open("wb") as file:
        np.save(file, np.stack([images.numpy() for images in task.progress]))
    write_json(out / "metrics.json", metrics)
    preprocessing = {"size": task.trainsets[0].whole, "resize": trainer.experiment.data.resize}
    weights.write(out / "model.safetensors", task.state.nets, choices, names, preprocessing)


def main() -> None:
    """Parse and train; exit with 75 when interrupted."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--seed", type=int, required=True, help="decides initial weights, order and the image pools")
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


if __name__ == "__main__":
    cli.run(main)
