"""Train the network of an experiment with one seed, and write its weights, its curve and its metrics.

    python -m dawn.train --params params.yaml --data data --stats data/stats.json --seed 0 --out results/seed-0
    torchrun --standalone --nproc-per-node 2 -m dawn.train ...        the same experiment on two processes

Writes model.safetensors, curve.tsv (a row an epoch), metrics.json and, with run.trace, trace.tsv (a row a step);
with run.tensorboard, TensorBoard's event files too; inside of a stage of DVC, metrics to be followed by dvc exp show.
Stopped by SIGTERM or SIGINT it keeps its state and exits with 75; run again, it goes on where it was.
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import TRAINED, Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_table
from dawn.data.preprocessing import Preprocessing
from dawn.models import weights
from dawn.monitoring.energy import for_device
from dawn.monitoring.live import Live
from dawn.monitoring.run_metrics import account
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.training import checkpoint
from dawn.training.shutdown import EXIT_CODE, Interrupt, Interrupted, leaving_together
from dawn.training.trainer import Trainer

CURVE = (
    "epoch",
    "train_loss",
    "train_accuracy",
    "loss",
    "accuracy",
    "lr",
    "momentum",
    "images_per_s",
    "seconds",
)
TRACE = ("step", "lr", "momentum", "loss")


def train(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Train, going on from a kept state where there is one, and write the results in ``args.out``."""
    interrupt = Interrupt(world.first)
    choices = experiment.text(*TRAINED)
    state = (
        args.resume / checkpoint.key(choices + world.device.type, args.data, args.stats, "train") / f"seed-{args.seed}"
    )
    clock = Clock(world.device, for_device(world))
    trainer = Trainer(experiment, args.data, args.stats, args.seed, state, world, clock)
    # A stage of DVC has taken the old metrics away, so their file is free for what can be seen until the new come.
    metrics_now = args.out.parent / "metrics.json" if os.environ.get("DVC_STAGE") else None
    live = Live(args.out, CURVE, metrics_now, experiment.run.tensorboard, world.first)
    try:
        with leaving_together(interrupt):
            trainer.run(interrupt, live=live)
    except torch.OutOfMemoryError as error:
        batch, parts = experiment.train.batch, experiment.train.accumulate
        raise cli.InputError(
            f"{world.device} has too little memory for train.batch {batch} in {parts} parts; "
            "raise train.accumulate, or lower train.batch"
        ) from error
    finally:
        live.close()
    metrics = account(trainer)
    if world.first:
        write(trainer, args, choices, metrics)
        checkpoint.forget(state)


def write(trainer: Trainer, args: argparse.Namespace, choices: str, metrics: dict[str, Any]) -> None:
    """The results of a finished training."""
    training, out = trainer.training, args.out
    classes = read_json(args.data / "dataset.json")["classes"]
    preprocessing = Preprocessing.of(trainer.experiment, args.data, args.stats).plain()
    write_table(out / "curve.tsv", CURVE, trainer.curve)
    if trainer.experiment.run.trace:
        write_table(out / "trace.tsv", TRACE, trainer.trace)
    write_json(out / "metrics.json", metrics)
    training.finish()
    weights.write_weights(out / "model.safetensors", training.net, choices, classes, preprocessing)


def main() -> None:
    """Parse, train; 75 when interrupted."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--stats", type=Path, required=True, help="channel statistics, JSON")
    parser.add_argument(
        "--seed", type=int, required=True, help="decides the initial weights, the order, the augmentation"
    )
    parser.add_argument("--out", type=Path, required=True, help="directory of the results")
    states = Path(os.environ.get("DAWN_RESUME", ".resume"))
    parser.add_argument("--resume", type=Path, default=states, help="directory of the states ($DAWN_RESUME or .resume)")
    args = parser.parse_args()
    if args.seed < 0:
        raise cli.InputError(f"--seed {args.seed}: at least 0")
    experiment = load(args.params)
    try:
        with joined() as world:
            train(args, experiment, world)
    except Interrupted:
        if os.environ.get("RANK", "0") == "0":
            print(f"seed {args.seed}: stopped; the same command goes on from its checkpoint", file=sys.stderr)
        sys.exit(EXIT_CODE)


if __name__ == "__main__":
    cli.run(main)
