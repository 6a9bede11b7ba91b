"""Strong scaling: the same experiment, the same global batch, on more processes; and what the exchange costs.

    python tests/bench/scaling.py [--experiments lesson wrn22] [--processes 1 2] [--batch 32]

The steps are the real ones, on noise: batches cut and augmented, forward, backward, exchange, update. Each repeat times
them twice in turn, with the gradients exchanged and without (DDP's no_sync), so that the difference is what the
exchange adds to a step; an all-reduce of as many bytes is timed alone. The part of the exchange that does not lengthen
the step overlaps with the backward pass. Every round starts all processes again, so that a drift of the machine's speed
shows in the range. Medians over rounds and repeats are printed.

NCCL joins GPUs, gloo CPUs, where each process has --threads threads.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from noise import write_noise

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.engine.trainer import Trainer
from dawn.results import measurement
from dawn.results.measurement import Row
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.train import set_up

ROOT = Path(__file__).resolve().parents[2]
SLOW = Scheduled(lr=1e-9, momentum=0.9, stem_lr=1e-9)  # the weights hardly move


def chosen(args: argparse.Namespace, name: str) -> Experiment:
    """params.yaml for ``lesson``, else the preset of that name; with the batch and the exchange of the command line."""
    preset = {} if name == "lesson" else read(ROOT / f"workflow/presets/{name}.yaml")
    over: dict[str, Any] = {"compile": False, "compress": args.compress, "batch_norm": args.batch_norm}
    if args.precision:
        over["precision"] = args.precision
    if args.batch:
        over["batch"] = args.batch
    settings = merge(merge(read(ROOT / "params.yaml"), preset), {"train": over, "run": {"processes": "auto"}})
    return check(settings)


def seconds(work: Callable[[], object], world: World) -> float:
    """Return the seconds of one call in which every process takes part, from when all are ready."""
    if world.size > 1:
        dist.barrier()
    _empty_queue(world)
    start = time.perf_counter()
    work()
    _empty_queue(world)
    return time.perf_counter() - start


def _empty_queue(world: World) -> None:
    if world.device.type == "cuda":
        torch.cuda.synchronize(world.device)


@contextmanager
def unexchanged(trainer: Trainer) -> Iterator[None]:
    """No exchange of gradients while the block runs."""
    with trainer.task.state.parallel.no_sync():  # type: ignore[union-attr]
        yield


def worker(args: argparse.Namespace) -> None:
    """One process of a world: time its steps; the first prints a line of JSON."""
    experiment = chosen(args, args.worker)
    with joined() as world, tempfile.TemporaryDirectory() as temporary:
        data = write_noise(Path(temporary), experiment.train.batch * args.steps)
        clock = Clock(world.device)
        trainer = set_up(experiment, data, data / "stats.json", 0, None, world, clock)

        def steps() -> None:
            for parts in trainer.task.trainset.epoch(0, world, experiment.train.accumulate):
                trainer.task.state.step(parts, SLOW)

        gradients = torch.zeros(sum(p.numel() for p in trainer.task.state.net.parameters()), device=world.device)
        found: dict[str, list[float]] = {"with": [], "without": [], "alone": []}
        steps()
        for _ in range(args.repeats):
            found["with"].append(seconds(steps, world) / args.steps)
            if world.size > 1:
                with unexchanged(trainer):
                    found["without"].append(seconds(steps, world) / args.steps)
                found["alone"].append(seconds(lambda: dist.all_reduce(gradients), world))
        if world.first:
            print(json.dumps(found))


def measure(args: argparse.Namespace, name: str, processes: int) -> dict[str, list[float]]:
    """Return what the first process of newly started ones measures."""
    passed = [
        f"--{key}={getattr(args, key)}" for key in ("batch", "steps", "repeats", "threads", "compress", "precision")
    ]
    passed.append(f"--batch-norm={args.batch_norm}")
    line = [__file__, f"--worker={name}", *passed]
    if processes > 1:
        line = ["-m", "torch.distributed.run", "--standalone", f"--nproc-per-node={processes}", *line]
    env = os.environ | {"OMP_NUM_THREADS": str(args.threads)}
    done = subprocess.run([sys.executable, *line], env=env, capture_output=True, text=True, check=False)
    if done.returncode:
        sys.exit(f"{name} on {processes} processes failed:\n{done.stderr}")
    found: dict[str, list[float]] = json.loads(done.stdout.splitlines()[-1])
    return found


def repeats(found: list[dict[str, list[float]]], batch: int, variant: str) -> list[Row]:
    """A row for each repeat of each start of a world: images and seconds of a step."""
    kept = [{key: times for key, times in run.items() if times} for run in found]
    each = [dict(zip(run, times, strict=True)) for run in kept for times in zip(*run.values(), strict=True)]
    return measurement.repetitions([{"images": batch, **one} for one in each], variant)


def table(args: argparse.Namespace) -> tuple[list[str], list[Row]]:
    """A line for each experiment and world; the seconds of each step as rows of a measurement."""
    measured: list[Row] = []
    rows = [
        "| experiment | batch | processes | images/s (range) | efficiency | step, ms | unexchanged | exchange alone |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name in args.experiments:
        batch, gathered = chosen(args, name).train.batch, {n: [] for n in args.processes}  # type: ignore[var-annotated]
        for _ in range(args.rounds):
            for processes in args.processes:
                gathered[processes].append(measure(args, name, processes))
        base = 0.0
        for processes, found in gathered.items():
            measured += repeats(found, batch, f"{name}, {processes} processes")
            times = {key: sorted(t for run in found for t in run[key]) for key in ("with", "without", "alone")}
            step = statistics.median(times["with"])
            base = base or step * processes
            rates = f"{batch / step:,.1f} ({batch / times['with'][-1]:,.1f} to {batch / times['with'][0]:,.1f})"
            others = [
                f"{1000 * statistics.median(t):,.1f}" if (t := times[key]) else "" for key in ("without", "alone")
            ]
            rows.append(
                f"| {name} | {batch} | {processes} | {rates} | {base / (step * processes):.2f} | {1000 * step:,.1f} |"
                f" {others[0]} | {others[1]} |"
            )
    return rows, measured


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--experiments", nargs="+", default=["lesson", "wrn22"], help="lesson, or presets (both)")
    parser.add_argument("--processes", nargs="+", type=int, default=[1, 2])
    parser.add_argument("--batch", type=int, default=0, help="images an update over all processes (the experiment's)")
    parser.add_argument("--steps", type=int, default=4, help="updates a timing")
    parser.add_argument("--repeats", type=int, default=5, help="timings a round")
    parser.add_argument("--rounds", type=int, default=3, help="starts of every world")
    parser.add_argument("--threads", type=int, default=1, help="of a process on a CPU")
    fitting = "" if torch.cuda.is_available() else "fp32"  # CPUs convolve in half precision far slower
    parser.add_argument("--precision", default=fitting, help="of the steps (the experiment's on a GPU, fp32 on a CPU)")
    parser.add_argument("--compress", choices=["none", "fp16", "bf16"], default="none")
    parser.add_argument("--batch-norm", choices=["global", "local"], default="global")
    parser.add_argument("--worker", help=argparse.SUPPRESS)
    cli.add_measurement(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    if args.worker:
        worker(args)
        return
    device = torch.cuda.get_device_name() if torch.cuda.is_available() else f"CPU, {args.threads} threads a process"
    print(f"torch {torch.__version__}, {device}; {args.rounds} rounds x {args.repeats} timings of {args.steps} steps; ")
    print(f"compress {args.compress}, batch_norm {args.batch_norm}\n", flush=True)
    lines, rows = table(args)
    print("\n".join(lines))
    measurement.save(args.measurement, "seconds of a step: gradients exchanged, not exchanged, exchange alone", rows)


if __name__ == "__main__":
    main()
