"""Time an experiment's network: forward, forward and backward, the whole step, by batch size and precision.

    python -m dawn.timing --params params.yaml --data data --stats data/stats.json --out results/timing.json

Medians and quartiles after a warm-up, the device's queue emptied around each; peak memory; the FLOP/s achieved, and
their share of the most that this device showed at a large matrix product or convolution in the same numbers. A whole
step cuts and augments a batch, goes forward and backward and moves the weights, as a training does. One process, one
device. Writes the table beside it as .tsv and a picture as .png.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from dawn.config.experiment import Experiment, check, load, merge
from dawn.core import cli
from dawn.core.files import write_json, write_table
from dawn.core.host import processor
from dawn.report import style
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.runtime.measure import best_rate, measure
from dawn.training.setup import set_up
from dawn.training.trainer import Trainer

NUMBERS = {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16, "half": torch.float16}
COLUMNS = (
    "precision", "batch", "work", "seconds", "low", "high", "repeats", "images_per_s", "flops_per_s", "share_of_peak",
    "peak_memory_bytes",
)  # fmt: skip
Parts = list[tuple[Tensor, Tensor]]


def works(trainer: Trainer) -> dict[str, Callable[[], object]]:
    """The calls to time. Forward judges, as an evaluation does; the others train."""
    state, scheduled = trainer.state, trainer.scheduler.at(0)
    trainer.trainset.resize(trainer.size(trainer.steps))  # the size that is judged at, where it grows on the way

    def batches() -> Any:
        while True:
            yield from trainer.trainset.epoch(0, trainer.world, trainer.experiment.train.accumulate)

    stream = batches()
    parts: Parts = next(stream)

    @torch.no_grad()
    def forward() -> None:
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


def flops(trainer: Trainer) -> dict[str, float]:
    """FLOPs of one image by work, as torch counts them in matrix products and convolutions."""
    state, count = trainer.state, 2
    images, labels = trainer.validation.slice(0, count)
    with FlopCounterMode(display=False) as forward, torch.no_grad():
        state.precision.logits(state.net, state.in_format(images))
    with FlopCounterMode(display=False) as both:
        logits = state.precision.logits(state.net, state.in_format(images))
        torch.nn.functional.cross_entropy(logits, labels).backward()  # type: ignore[no-untyped-call]
    state.net.zero_grad(set_to_none=True)
    one, whole = forward.get_total_flops() / count, both.get_total_flops() / count
    return {"forward": one, "forward_backward": whole, "step": whole}


def timed(experiment: Experiment, data: Path, stats: Path, world: World) -> dict[str, Any]:
    """Every work at every batch size and precision, those of the training first."""
    settings = experiment.timing
    batches = dict.fromkeys([experiment.train.batch, *settings.batches])
    precisions = dict.fromkeys([experiment.train.precision, *settings.precisions])
    rows: list[dict[str, Any]] = []
    peaks: dict[str, Any] = {}
    for precision in precisions:
        for batch in batches:
            over = {"train": {"precision": precision, "batch": batch}}
            chosen = check(merge(experiment.model_dump(mode="json"), over))
            clock = Clock(world.device)
            trainer = set_up(chosen, data, stats, experiment.seeds[0], data / ".none", world, clock)
            trainer.resume()
            kind, counted = trainer.state.precision.kind, flops(trainer)
            if kind not in peaks:
                rate, at = best_rate(world.device, NUMBERS[kind])
                peaks[kind] = {"flops_per_s": rate, "at": at}
            for name, work in works(trainer).items():
                found = measure(work, world.device, settings.repeats, settings.seconds)
                speed = counted[name] * batch / found.seconds
                rows.append({"precision": kind, "batch": batch, "work": name, **found.as_dict(),
                             "images_per_s": batch / found.seconds, "flops_per_s": speed,
                             "share_of_peak": speed / peaks[kind]["flops_per_s"]})  # fmt: skip
    return {"flops": counted, "peaks": peaks, "rows": rows}


def plot(rows: list[dict[str, Any]], path: Path) -> None:
    """Images a second and share of the peak against the batch size, a line a work and precision."""
    figure = style.figure(9, 4)
    left, right = figure.subplots(1, 2)
    series = dict.fromkeys((row["work"], row["precision"]) for row in rows)
    for i, (work, precision) in enumerate(series):
        own = sorted((r for r in rows if (r["work"], r["precision"]) == (work, precision)), key=lambda r: r["batch"])
        x, y = [r["batch"] for r in own], [r["images_per_s"] for r in own]
        spread = [[v - r["batch"] / r["high"] for v, r in zip(y, own, strict=True)],
                  [r["batch"] / r["low"] - v for v, r in zip(y, own, strict=True)]]  # fmt: skip
        label = f"{work.replace('_', ' + ')}, {precision}"
        left.errorbar(x, y, spread, capsize=2, label=label, **style.line(i))
        right.plot(x, [100 * r["share_of_peak"] for r in own], **style.line(i))
    left.set(ylabel="images/s", title="Speed, median and quartiles")
    right.set(ylabel="% of the measured peak", title="Use of the device")
    sizes = sorted({row["batch"] for row in rows})
    for axes in (left, right):
        axes.set(xscale="log", xlabel="batch", xlim=(sizes[0] / 1.4, sizes[-1] * 1.4), ylim=(0, None))
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.minorticks_off()
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=3, fontsize=8)
    style.save(figure, path)


def main() -> None:
    """Parse, time, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--stats", type=Path, required=True, help="channel statistics, JSON")
    parser.add_argument("--out", type=Path, required=True, help="the times, JSON")
    args = parser.parse_args()
    experiment = load(args.params)
    with joined() as world:
        gpu = world.device.type == "cuda"
        found = timed(experiment, args.data, args.stats, world)
        device = torch.cuda.get_device_name(world.device) if gpu else processor()
    about = {"device": device, "torch": torch.__version__, "threads": None if gpu else torch.get_num_threads()}
    write_table(args.out.with_suffix(".tsv"), COLUMNS, [[row[name] for name in COLUMNS] for row in found["rows"]])
    plot(found["rows"], args.out.with_suffix(".png"))
    write_json(args.out, about | found)


if __name__ == "__main__":
    cli.run(main)
