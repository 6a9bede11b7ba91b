"""Train the network of an experiment with one seed, and write its weights, its curve and its metrics.

    python -m dawn.train --params params.yaml --data data --stats data/stats.json --seed 0 --out results/seed-0
    torchrun --standalone --nproc-per-node 2 -m dawn.train ...        the same experiment on two processes

Writes model.safetensors, curve.tsv (a row for each epoch), metrics.json, what dawn/tasks/<task>/train.py adds and, with
run.trace, trace.tsv (a row for each step); with run.tensorboard, TensorBoard's event files too; in a DVC stage, live
metrics for dvc exp show. Stopped by SIGTERM or SIGINT it writes a checkpoint and exits with 75; run again, it continues
from there, and ends with the same bytes. A loss that is not finite ends it with 76.
"""

import argparse
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from dawn.config import registry
from dawn.config.experiment import Experiment, load
from dawn.core import cli, out_of_memory
from dawn.core.files import sha256, write_json, write_table
from dawn.core.host import of_launcher
from dawn.engine.shutdown import DIVERGED, EXIT_CODE, Diverged, Interrupted, StopRequest, stopping_together
from dawn.engine.trainer import Trainer
from dawn.monitoring.energy import for_device
from dawn.monitoring.live import LiveMetrics
from dawn.monitoring.progress import Progress, name_of
from dawn.monitoring.run_metrics import run_metrics
from dawn.monitoring.tensorboard import EventFiles
from dawn.results.curve import write_curve
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined


def train(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Train, continuing from a checkpoint where there is one, and write the results to ``args.out``."""
    task = registry.module(experiment.task, "train")
    stop, clock = StopRequest(world.first), Clock(world.device, for_device(world))
    with stopping_together(stop), out_of_memory_explained(task.memory(experiment), world):
        trainer = task.set_up(experiment, args.data, args.stats, args.seed, args.resume, world, clock)
        with clock.phase("load"):
            data = checksums(experiment, args.data, args.stats) if world.first else {}
        run(trainer, task.line, args.out, stop)
        metrics = run_metrics(trainer, task.result(trainer))
        metrics |= {"checksums": {"data": data, "weights": trainer.weights}}
        trainer.task.finish()
    if world.first:
        write_curve(args.out / "curve.tsv", trainer.curve)
        (args.out / "trace.tsv").unlink(missing_ok=True)
        if experiment.run.trace:
            write_table(args.out / "trace.tsv", trainer.task.columns, trainer.trace)
        write_json(args.out / "metrics.json", metrics)
        task.write(trainer, args.out, args.data, args.stats, experiment.text(*experiment.trained_by))
        trainer.delete_checkpoint()


def checksums(experiment: Experiment, data: Path, stats: Path | None) -> dict[str, str]:
    """Return the SHA-256 of the arrays and of the statistics by name; without the test split if it is not monitored."""
    names = [name for name in experiment.declared.data(experiment) if name.endswith(".npy")]
    paths = [data / name for name in names if not (experiment.data.holdout and name.startswith("test_"))]
    return {path.name: sha256(path) for path in (*paths, *([stats] if stats else []))}


def run(trainer: Trainer[Any], line: Any, out: Path, stop: StopRequest) -> None:
    """Train to the end and report each epoch; ``line`` describes its metrics in words."""
    trainer.resume()
    trainer.require_room(out)
    reports = reports_of(trainer, line, out)
    with ExitStack() as stack:
        for report in reports:
            stack.enter_context(report)
        for epoch in trainer.run(stop, keep_checkpoint=True):
            for report in reports:
                report.epoch(epoch)


def reports_of(trainer: Trainer[Any], line: Any, out: Path) -> list[Progress | LiveMetrics | EventFiles]:
    """Return what reports the epochs; only the first process writes files."""
    reports: list[Progress | LiveMetrics | EventFiles] = [Progress(trainer, line, name_of(out, trainer.seed))]
    if trainer.world.first and trainer.experiment.run.tensorboard:
        reports.append(EventFiles(out / "tensorboard"))
    # A DVC stage has removed the old metrics, so that file is free for live ones until the new metrics are written.
    if trainer.world.first and os.environ.get("DVC_STAGE"):
        reports.append(LiveMetrics(out.parent / "metrics.json", out.name))
    return reports


@contextmanager
def out_of_memory_explained(settings: str, world: World) -> Iterator[None]:
    """Turn the error of an allocator into one line that names the settings to change."""
    try:
        yield
    except (RuntimeError, MemoryError) as error:
        if out_of_memory.explain(error) is None:
            raise
        raise cli.InputError(f"{world.device} has too little memory for {settings}") from error


def main() -> None:
    """Parse and train; exit with 75 when interrupted, with 76 when the loss is not finite."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data")
    parser.add_argument("--stats", type=Path, help="channel statistics, JSON, which a classifier needs")
    cli.add_seed(parser, "decides initial weights, order and all other draws")
    cli.add_out(parser, "directory of the results")
    cli.add_resume(parser)
    args = parser.parse_args()
    experiment = load(args.params)
    try:
        with joined(experiment.run) as world:
            train(args, experiment, world)
    except Interrupted:
        if of_launcher("RANK") == 0:
            print(
                f"{name_of(args.out, args.seed)}: stopped; the same command continues from its checkpoint",
                file=sys.stderr,
            )
        sys.exit(EXIT_CODE)
    except Diverged as error:  # on the first process alone
        print(f"dawn.train: {error}", file=sys.stderr)
        sys.exit(DIVERGED)


if __name__ == "__main__":
    cli.run(main)
