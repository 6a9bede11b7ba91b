"""Time an experiment's network: forward, forward and backward, the whole step, by batch size and precision.

    python -m dawn.timing --params params.yaml --data data --stats data/stats.json --out results/timing.json

Medians and quartiles after a warm-up, the device synchronised around each call; peak memory; FLOP/s, and their fraction
of the most that a large matrix product or convolution reaches on this device in the same number format. A step is that
of a training: augmentation, forward, backward, optimizer. One process, one device. Writes the table next to it as .tsv
and a figure as .png.
"""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional
from torch.utils.flop_counter import FlopCounterMode

from dawn.config.experiment import Experiment, check, load, merge
from dawn.core import cli
from dawn.core.files import write_json, write_table
from dawn.core.host import processor
from dawn.data.dataset import MicroBatch
from dawn.engine.trainer import Trainer
from dawn.report.style import save
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.runtime.measure import best_rate, measure
from dawn.tasks.classify.classifier import Classifier
from dawn.tasks.classify.figures.timing import timing
from dawn.tasks.classify.train import set_up

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "half": torch.float16}
COLUMNS = (
    "precision", "batch", "work", "seconds", "low", "high", "repeats", "images_per_s", "flops_per_s", "share_of_peak",
    "peak_memory_bytes",
)  # fmt: skip


def works(trainer: Trainer[Classifier]) -> dict[str, Callable[[], object]]:
    """Return the calls to time, on images of the size that is evaluated."""
    task = trainer.task
    state, scheduled = task.state, task.scheduler.at(0)
    task.trainset.resize(task.size(task.steps))
    stream = steps(trainer)
    parts = next(stream)

    @torch.no_grad()
    def forward() -> None:
        """Run the network as an evaluation does."""
        state.net.eval()
        for images, _ in parts:
            state.precision.logits(state.net, state.in_format(images))
        state.net.train()

    def backward() -> None:
        for images, labels in parts:
            state.gradient(images, labels, 1 / len(parts))
        state.net.zero_grad(set_to_none=True)

    return {
        "forward": forward,
        "forward_backward": backward,
        "step": lambda: state.step(next(stream), scheduled),
    }


def steps(trainer: Trainer[Classifier]) -> Iterator[list[MicroBatch]]:
    """Yield the steps of the first epoch again and again."""
    while True:
        yield from trainer.task.trainset.epoch(0, trainer.world, trainer.experiment.train.accumulate)


def flops(trainer: Trainer[Classifier]) -> dict[str, float]:
    """Return the FLOPs of one image by work, as torch counts them in matrix products and convolutions."""
    state, count = trainer.task.state, 2
    images, labels = trainer.task.validation.slice(0, count)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        state.precision.logits(state.net, state.in_format(images))
    with FlopCounterMode(display=False) as both:
        logits = state.precision.logits(state.net, state.in_format(images))
        functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
    state.net.zero_grad(set_to_none=True)
    one, whole = forward.get_total_flops() / count, both.get_total_flops() / count
    return {"forward": one, "forward_backward": whole, "step": whole}


def timed(experiment: Experiment, data: Path, stats: Path, world: World) -> dict[str, Any]:
    """Return a row for each work at each batch size and precision, those of the training first."""
    settings = experiment.timing
    rows: list[dict[str, Any]] = []
    peaks: dict[str, Any] = {}
    for precision in dict.fromkeys([experiment.train.precision, *settings.precisions]):
        for batch in dict.fromkeys([experiment.train.batch, *settings.batches]):
            over = {"train": {"precision": precision, "batch": batch}}
            chosen = check(merge(experiment.model_dump(mode="json"), over))
            trainer = set_up(chosen, data, stats, experiment.seeds[0], None, world, Clock(world.device))
            trainer.resume()
            kind, counted = trainer.task.state.precision.kind, flops(trainer)
            if kind not in peaks:
                rate, at = best_rate(world.device, DTYPES[kind])
                peaks[kind] = {"flops_per_s": rate, "at": at}
            for work, call in works(trainer).items():
                times = measure(call, world.device, settings.repeats, settings.seconds)
                speed = counted[work] * batch / times.seconds
                rows.append({"precision": kind, "batch": batch, "work": work, **times.as_dict(),
                             "images_per_s": batch / times.seconds, "flops_per_s": speed,
                             "share_of_peak": speed / peaks[kind]["flops_per_s"]})  # fmt: skip
    return {"flops": counted, "peaks": peaks, "rows": rows}


def main() -> None:
    """Parse, time, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    cli.add_out(parser, "the times, JSON")
    args = parser.parse_args()
    experiment = load(args.params)
    with joined(experiment.run) as world:
        gpu = world.device.type == "cuda"
        table = timed(experiment, args.data, args.stats, world)
        device = torch.cuda.get_device_name(world.device) if gpu else processor()
    about = {"device": device, "torch": torch.__version__, "threads": None if gpu else torch.get_num_threads()}
    write_table(args.out.with_suffix(".tsv"), COLUMNS, [[row[name] for name in COLUMNS] for row in table["rows"]])
    save(timing(table["rows"]), args.out.with_suffix(".png"))
    write_json(args.out, about | table)


if __name__ == "__main__":
    cli.run(main)
