"""Race an experiment: a training and its final evaluation for each seed, one after the other in one process, timed.

    python -m dawn.race --params params.yaml --data data --stats data/stats.json
        --out results/race.json --text results/race.md

The clock counts whitening, training with its augmentation, and the final evaluation with its views; loading, building,
compiling, monitoring and saving stand beside it. Every seed counts. The weights of a seed are those that dawn.train
makes of it; they are not kept. Stopped by SIGTERM or SIGINT it exits with 75; run again, it goes on where it was.
"""

import argparse
import math
import os
import sys
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from dawn.config.experiment import CHOICES, Experiment, load
from dawn.core import cli
from dawn.core.files import read_json, write_json, write_text
from dawn.data.dataset import load as load_split
from dawn.models.inference import evaluation_logits, warm_up
from dawn.monitoring.energy import for_device
from dawn.monitoring.progress import Progress
from dawn.monitoring.run_metrics import account
from dawn.report.race import line, page, tally
from dawn.results.curve import at_target
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.training import checkpoint
from dawn.training.setup import set_up
from dawn.training.shutdown import EXIT_CODE, Interrupted, StopRequest, stopping_together
from dawn.training.trainer import Trainer


def heat(trainer: Trainer, data: Path, stats: Path, stop: StopRequest, shown: bool) -> dict[str, Any]:
    """Train one seed to the end and evaluate it on the same clock: the metrics of the run, final accuracy and loss.

    ``arrived`` is the clock when the monitored accuracy was first at the target, None where it never was.
    """
    world, clock, target = trainer.world, trainer.clock, trainer.experiment.evaluate.target
    with clock.phase("load"):
        split = load_split(data, stats, "test", world.device)
    if world.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(world.device)
        with clock.phase("compile"):
            warm_up(trainer.state.net, split, trainer.experiment, world)
    trainer.resume()
    with Progress(trainer, shown) as progress:
        for epoch in trainer.run(stop):
            progress.epoch(epoch)
    with clock.phase("evaluate"):
        trainer.state.finish()
        logits = evaluation_logits(trainer.state.net, split, trainer.experiment, world)
    labels = split.labels.cpu()
    reached = at_target(trainer.curve, target)
    row = account(trainer) | {
        "accuracy": 100 * int((logits.argmax(1) == labels).sum()) / len(labels),
        "loss": float(functional.cross_entropy(logits.double(), labels)),
        "arrived": reached.seconds if reached else None,
    }
    # A seed that ended in numbers that are none counts too, and JSON has no word for them.
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in row.items()}


def race(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """All heats, going on from those that are kept, and the files of the race."""
    stop = StopRequest(world.first)
    choices = experiment.text(*CHOICES) + world.device.type
    states = args.resume / checkpoint.key(choices, args.data, args.stats, "race") / "race"
    kept = states / "rows.json"
    rows: list[dict[str, Any]] = read_json(kept) if kept.exists() else []
    done, shown = {row["seed"] for row in rows}, True
    for seed in [seed for seed in experiment.seeds if seed not in done]:
        with stopping_together(stop):
            clock = Clock(world.device, for_device(world))
            trainer = set_up(experiment, args.data, args.stats, seed, states / f"seed-{seed}", world, clock)
            rows.append(heat(trainer, args.data, args.stats, stop, shown))
        del trainer  # its memory is the next one's
        if world.first:
            write_json(kept, rows)
            checkpoint.delete(states / f"seed-{seed}")
            print(line(rows[-1]), file=sys.stderr, flush=True)
        shown = False  # the first tells how each epoch goes, the others what came out
    if world.first:
        finish(args, experiment, [row for row in rows if row["seed"] in experiment.seeds])
        checkpoint.delete(states)


def finish(args: argparse.Namespace, experiment: Experiment, rows: list[dict[str, Any]]) -> None:
    """Write the race, and show it."""
    found = tally(rows, experiment.evaluate.target)
    text = page(found)
    write_text(args.text, text)
    write_json(args.out, found)
    print(f"\n{text}", file=sys.stderr)


def main() -> None:
    """Parse, race; 75 when interrupted."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--stats", type=Path, required=True, help="channel statistics, JSON")
    parser.add_argument("--out", type=Path, required=True, help="the race in figures, JSON")
    parser.add_argument("--text", type=Path, required=True, help="the same in words, Markdown")
    states = Path(os.environ.get("DAWN_RESUME", ".resume"))
    parser.add_argument("--resume", type=Path, default=states, help="directory of the states ($DAWN_RESUME or .resume)")
    args = parser.parse_args()
    experiment = load(args.params)
    try:
        with joined() as world:
            race(args, experiment, world)
    except Interrupted:
        sys.exit(EXIT_CODE)


if __name__ == "__main__":
    cli.run(main)
