"""How near each convolution of a training step comes to the best rate of this device, and what is left of the step.

    python tests/bench/layers.py [--preset cpu] [--batch 500] [--size 32] [--repeats 7]
    python tests/bench/layers.py --preset lesson-cpu --pairs 9

Per convolution: GFLOP/s forward, backward to its input and backward to its filters, in the precision of the preset
and in channels-last memory, by PyTorch; forward and backward by custom kernels where these fit; medians. The GFLOP
are those of a direct convolution, so Winograd's algorithm can exceed the best rate. Then the time of PyTorch's
convolutions, and of the whole step of the preset (forward, backward, optimizer, without the augmentation). The images
are noise, which costs the same.

With ``--pairs`` instead the whole step in bf16 with PyTorch's layers and with custom kernels, in turn in one process:
by the clock and by the time of the processor, to which other work on the machine adds less.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from noise import write_noise
from pairs import Pair, summary
from torch import Tensor, nn

from dawn.config.experiment import Experiment, check, merge, read
from dawn.core import cli
from dawn.engine.trainer import Trainer
from dawn.kernels.convolutions import convolution_of
from dawn.kernels.network import can_convolve
from dawn.results import measurement
from dawn.results.measurement import Row
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.runtime.measure import best_rate, measure
from dawn.tasks.classify.train import set_up
from dawn.timing import DTYPES

ROOT = Path(__file__).resolve().parents[2]
Rates = dict[str, float]
CUSTOM = {"custom forward": 1, "custom backward": 2}  # passes of each
COMMON = {"precision": "bf16", "compile": False}  # of the two sides of a pair
WORKS = {"forward": None, "to the input": [True, False, False], "to the filters": [False, True, False]}


def inputs_of(trainer: Trainer[Any], images: Tensor) -> list[tuple[nn.Conv2d, Tensor]]:
    """Return each convolution of the network, and what it is given in a forward pass of ``images``."""
    found: list[tuple[nn.Conv2d, Tensor]] = []
    state = trainer.task.state
    hooks = [
        module.register_forward_pre_hook(lambda layer, given: found.append((layer, given[0].detach())))
        for module in state.net.modules()
        if isinstance(module, nn.Conv2d)
    ]
    with torch.no_grad():
        state.precision.logits(state.net, images)
    for hook in hooks:
        hook.remove()
    return found


def calls(layer: nn.Conv2d, given: Tensor, dtype: torch.dtype) -> tuple[float, dict[str, Callable[[], object]]]:
    """Return the FLOPs of one pass of a convolution, and the calls to time."""
    x = given.to(dtype).contiguous(memory_format=torch.channels_last)
    w = layer.weight.detach().to(dtype).contiguous(memory_format=torch.channels_last)
    shape: list[Any] = [layer.stride, layer.padding, layer.dilation, False, (0, 0), layer.groups]
    y = torch.ops.aten.convolution(x, w, None, *shape)

    def call(wanted: list[bool] | None) -> Callable[[], object]:
        if wanted is None:
            return lambda: torch.ops.aten.convolution(x, w, None, *shape)
        return lambda: torch.ops.aten.convolution_backward(y, x, w, None, *shape, wanted)

    return 2.0 * y.numel() * w[0].numel(), {name: call(wanted) for name, wanted in WORKS.items()}


def custom(layer: nn.Conv2d, given: Tensor, device: torch.device, repeats: int) -> list[float]:
    """Return the seconds forward and backward of the custom kernel of a layer; nothing if there is none."""
    kernel = convolution_of(layer) if can_convolve() else None
    if kernel is None:
        return []
    x = given.bfloat16().contiguous(memory_format=torch.channels_last).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):  # where the kernel leaves a layer to PyTorch
        y = kernel(x)
        gradient = torch.ones_like(y)
        wanted = (x, layer.weight)
        calls = (lambda: kernel(x), lambda: torch.autograd.grad(y, wanted, gradient, retain_graph=True))
        return [measure(call, device, repeats).seconds for call in calls]


def rates(trainer: Trainer[Any], images: Tensor, repeats: int, world: World) -> dict[str, Rates]:
    """Return the GFLOP/s of each convolution by its name, and its GFLOP and seconds in a step by PyTorch."""
    state = trainer.task.state
    dtype = DTYPES[state.precision.kind]
    found: dict[str, Rates] = {}
    for i, (layer, given) in enumerate(inputs_of(trainer, images)):
        one, works = calls(layer, given, dtype)
        needed = [name for name in works if i or name == "forward"]  # whitening filters have no gradients
        seconds = {name: measure(works[name], world.device, repeats).seconds for name in needed}
        own = custom(layer, given, world.device, repeats) if dtype is torch.bfloat16 else []
        rate = {name: one / each / 1e9 for name, each in seconds.items()}
        rate |= {name: one * n / each / 1e9 for (name, n), each in zip(CUSTOM.items(), own, strict=False)}
        filters = f"{layer.kernel_size[0]}x{layer.kernel_size[1]}" + (" / 2" if layer.stride[0] == 2 else "")
        name = f"{i + 1}: {layer.in_channels} to {layer.out_channels} by {filters}, {given.shape[2]} pixels"
        found[name] = rate | {"gflop": one * len(seconds) / 1e9, "seconds": sum(seconds.values())}
    return found


def lines(layers: dict[str, Rates], whole: Rates) -> list[str]:
    """Return the table, and the sums below it."""
    heads = [*WORKS, *CUSTOM]
    text = [
        f"best rate: {whole['best_rate']:,.0f} GFLOP/s",
        "",
        "| layer | input |" + "".join(f" {h} |" for h in heads),
    ]
    text += ["|---|---|" + "---:|" * len(heads)]
    for name, rate in layers.items():
        cells = "".join(f" {rate[head]:,.0f} |" if head in rate else " |" for head in heads)
        text.append(f"| {name.partition(': ')[2].replace(', ', ' | ')} |{cells}")
    total, gflop = (sum(rate[key] for rate in layers.values()) for key in ("seconds", "gflop"))
    step, best = whole["seconds"], whole["best_rate"]
    text += ["", f"convolutions {1000 * total:,.0f} ms, at the best rate {1000 * gflop / best:,.0f} ms"]
    speed = f"{whole['images'] / step:,.0f} images/s: {gflop / step / best:.0%} of the best rate"
    return [*text, f"step {1000 * step:,.0f} ms, {speed}"]


def underscored(rate: Rates) -> Rates:
    """Return the same by names without spaces."""
    return {name.replace(" ", "_"): value for name, value in rate.items()}


def whole_step(trainer: Trainer[Any], images: Tensor, repeats: int, world: World) -> Rates:
    """Return the seconds of a step on these images, and the best rate of this device in GFLOP/s."""
    state, scheduled = trainer.task.state, trainer.task.scheduler.at(0)
    labels = torch.zeros(len(images), dtype=torch.int64)
    step = measure(lambda: state.step([(images, labels)], scheduled), world.device, repeats).seconds
    best, _ = best_rate(world.device, DTYPES[state.precision.kind])
    return {"seconds": step, "images": len(images), "best_rate": best / 1e9}


def timed_in_turn(trainers: dict[str, Trainer[Any]], images: Tensor, pairs: int) -> dict[str, list[Pair]]:
    """Return the images/s of pairs of steps by the names of the trainers, for each clock."""
    labels = torch.zeros(len(images), dtype=torch.int64)
    clocks: dict[str, Callable[[], float]] = {"clock": time.perf_counter, "processor": time.process_time}
    rates: dict[str, list[Pair]] = {name: [] for name in clocks}
    for i in range(pairs + 1):
        seconds: dict[str, dict[str, float]] = {name: {} for name in clocks}
        for side, trainer in trainers.items():
            start = {name: clock() for name, clock in clocks.items()}
            trainer.task.state.step([(images, labels)], trainer.task.scheduler.at(0))
            for name, clock in clocks.items():
                seconds[name][side] = clock() - start[name]
        for name in clocks if i else ():  # the first is a warm-up
            rates[name].append({side: len(images) / s for side, s in seconds[name].items()})
    return rates


def prepared(experiment: Experiment, images: int, folder: Path, world: World) -> Trainer[Any]:
    """Return a trainer on noise that is ready to step."""
    write_noise(folder, images)
    trainer = set_up(experiment, folder, folder / "stats.json", 0, None, world, Clock(world.device))
    trainer.resume()
    return trainer


def layer_by_layer(trainer: Trainer[Any], images: Tensor, repeats: int, world: World) -> list[Row]:
    """Print the rates of the convolutions and the time of the step. Return them as rows."""
    layers = rates(trainer, images, repeats, world)
    whole = whole_step(trainer, images, repeats, world)
    print("\n".join(lines(layers, whole)))
    rows = [row for name, rate in layers.items() for row in measurement.repetitions([underscored(rate)], name)]
    return [*rows, *measurement.repetitions([whole], "step")]


def in_pairs(trainers: dict[str, Trainer[Any]], images: Tensor, pairs: int) -> list[Row]:
    """Print the rates of the step by each clock. Return them as rows."""
    measured = timed_in_turn(trainers, images, pairs)
    for clock, rates in measured.items():
        print(f"{clock}: {summary(rates)}")
    return [row for clock, rates in measured.items() for row in measurement.repetitions(rates, clock)]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=7)
    parser.add_argument("--pairs", type=int)
    cli.add_measurement(parser)
    args = parser.parse_args()
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{args.preset}.yaml"))
    batch = args.batch or preset["train"]["batch"]
    over = {"train": {"batch": batch, "cuda_graph": False}, "run": {"gpus": 0}}
    images = torch.randn(batch, 3, args.size, args.size).contiguous(memory_format=torch.channels_last)
    with tempfile.TemporaryDirectory() as name, joined() as world:
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.preset}, batch {batch}")

        def ready(**train: Any) -> Trainer[Any]:
            return prepared(check(merge(merge(preset, over), {"train": train})), 2 * batch, Path(name), world)

        if args.pairs:
            what = f"images/s of a step with kernels and with PyTorch's layers: {args.preset}, batch {batch}"
            sides = {side: ready(custom_kernels=side == "kernels", **COMMON) for side in ("kernels", "PyTorch")}
            rows = in_pairs(sides, images, args.pairs)
        else:
            what = f"GFLOP/s of the convolutions of a step, medians of {args.repeats}: {args.preset}, batch {batch}"
            rows = layer_by_layer(ready(), images, args.repeats, world)
    measurement.save(args.measurement, what, rows)


if __name__ == "__main__":
    main()
