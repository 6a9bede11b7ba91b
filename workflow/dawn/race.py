"""Race an experiment: train and evaluate each of its seeds, one after the other in one process, on one clock.

    python -m dawn.race --params params.yaml --data data --stats data/stats.json
        --out results/race.json --text results/race.md

Timed are whitening, training with its augmentation, and the final evaluation with its views; loading, building,
compiling, monitoring and saving are reported separately. Every seed counts. A seed's weights are those that dawn.train
makes of it; they are not written. Stopped by SIGTERM or SIGINT it exits with 75; run again, it continues.
"""

import argparse
import math
import sys
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.code_deps import code
from dawn.core.files import write_json, write_text
from dawn.core.host import of_launcher
from dawn.core.reading import read_json
from dawn.data.dataset import load as load_split
from dawn.engine import checkpoint
from dawn.engine.shutdown import EXIT_CODE, Interrupted, StopRequest, stopping_together
from dawn.engine.trainer import Trainer
from dawn.monitoring.energy import for_device
from dawn.monitoring.progress import Progress
from dawn.monitoring.run_metrics import run_metrics
from dawn.report.page import markdown
from dawn.results import measurement
from dawn.results.curve import at_target
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.tasks.classify.classifier import Classifier
from dawn.tasks.classify.inference import evaluation_logits, warm_up
from dawn.tasks.classify.race_page import line, page, tally
from dawn.tasks.classify.records import RaceRun
from dawn.tasks.classify.train import line as epoch_line
from dawn.tasks.classify.train import result, set_up


def run(trainer: Trainer[Classifier], data: Path, stats: Path, stop: StopRequest, verbose: bool) -> dict[str, Any]:
    """Train one seed and evaluate it on the same clock. Return its metrics; ``verbose`` reports each epoch.

    A run that ended in NaN or infinite values counts too: they are None, since JSON has neither.
    """
    world, clock, state = trainer.world, trainer.clock, trainer.task.state
    with clock.phase("load"):
        split = load_split(data, stats, "test", world.device)
    if world.device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(world.device)
        with clock.phase("compile"):
            warm_up(state.net, split, trainer.experiment, world)
    trainer.resume()
    with Progress(trainer, epoch_line, shown=verbose) as progress:
        for epoch in trainer.run(stop, keep_checkpoint=True):
            progress.epoch(epoch)
    with clock.phase("evaluate"):
        state.finish()
        logits = evaluation_logits(state.net, split, trainer.experiment, world)
    labels, reached = split.labels.cpu(), at_target(map(vars, trainer.curve), trainer.experiment.evaluate.target)
    metrics = run_metrics(trainer, result(trainer)) | {
        "accuracy": 100 * int((logits.argmax(1) == labels).sum()) / len(labels),
        "loss": float(functional.cross_entropy(logits.double(), labels)),
        "seconds_to_target": reached["seconds"] if reached else None,  # by the monitored accuracy
    }
    trainer.delete_checkpoint()
    return {name: None if isinstance(v, float) and not math.isfinite(v) else v for name, v in metrics.items()}


def race(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Run every seed that has not been run before, and write the race."""
    stop = StopRequest(world.first)
    key = checkpoint.key(
        experiment.text(*experiment.decided_by) + world.device.type,
        [args.data / "dataset.json", args.stats, *code(["race"], "classify", experiment.declared.modules(experiment))],
    )
    directory = args.resume / key / "race"
    finished = directory / "runs.json"
    runs: list[dict[str, Any]] = read_json(finished, list[RaceRun]) if finished.exists() else []
    done = {run["seed"] for run in runs}
    for i, seed in enumerate(seed for seed in experiment.seeds if seed not in done):
        with stopping_together(stop):
            clock = Clock(world.device, for_device(world))
            trainer = set_up(experiment, args.data, args.stats, seed, directory, world, clock)
            runs.append(run(trainer, args.data, args.stats, stop, verbose=i == 0))
        del trainer  # frees its memory for the next one
        if world.first:
            write_json(finished, runs)
            print(line(runs[-1]), file=sys.stderr, flush=True)
    if world.first:
        write(args, experiment, [run for run in runs if run["seed"] in experiment.seeds])
        checkpoint.delete(directory)


def write(args: argparse.Namespace, experiment: Experiment, runs: list[dict[str, Any]]) -> None:
    """Write the race as JSON and as Markdown, and print the latter."""
    result = tally(runs, experiment.evaluate.target)
    text = markdown(page(result))
    write_text(args.text, text)
    write_json(args.out, result)
    measurement.save(args.measurement, f"race of {experiment.model.title}", [measurement.training(r) for r in runs])
    print(f"\n{text}", file=sys.stderr)


def main() -> None:
    """Parse and race; exit with 75 when interrupted."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    cli.add_out(parser, "the race, JSON")
    parser.add_argument("--text", type=Path, required=True, help="the race, Markdown")
    cli.add_measurement(parser)
    cli.add_resume(parser)
    args = parser.parse_args()
    experiment = load(args.params)
    if experiment.evaluate.target is None:
        raise cli.InputError("a race is to evaluate.target, which is null: set it to an accuracy in percent")
    try:
        with joined(experiment.run) as world:
            race(args, experiment, world)
    except Interrupted:
        if of_launcher("RANK") == 0:
            print("stopped; the same command continues from its checkpoint", file=sys.stderr)
        sys.exit(EXIT_CODE)


if __name__ == "__main__":
    cli.run(main)
