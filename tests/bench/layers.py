"""How near each convolution of a training step comes to the best rate of this device, and what is left of the step.

    python tests/bench/layers.py [--preset cpu] [--batch 500] [--size 32] [--repeats 7]

Per convolution: GFLOP/s forward, backward to its input and backward to its filters, in the precision of the preset
and in channels-last memory, by PyTorch; forward and backward by custom kernels where these fit; medians. The GFLOP
are those of a direct convolution, so Winograd's algorithm can exceed the best rate. Then the time of PyTorch's
convolutions, and of the whole step of the preset (forward, backward, optimizer, without the augmentation). The images
are noise, which costs the same.
"""

import argparse
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from noise import write_noise
from torch import Tensor, nn

from dawn.config.experiment import Experiment, check, merge, read
from dawn.models.kernels.network import can_convolve
from dawn.models.kernels.winograd import convolution_of
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.runtime.measure import best_rate, measure
from dawn.timing import DTYPES
from dawn.training.setup import set_up
from dawn.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
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
    y = kernel(x)
    gradient = torch.ones_like(y)
    wanted = (x, layer.weight)
    calls = (lambda: kernel(x), lambda: torch.autograd.grad(y, wanted, gradient, retain_graph=True))
    return [measure(call, device, repeats).seconds for call in calls]


def table(trainer: Trainer[Any], batch: int, size: int, repeats: int, world: World) -> list[str]:
    """Return the lines of the table, and the sums below it."""
    state = trainer.task.state
    dtype = DTYPES[state.precision.kind]
    images = torch.randn(batch, 3, size, size).contiguous(memory_format=torch.channels_last)
    labels = torch.zeros(batch, dtype=torch.int64)
    peak, at = best_rate(world.device, dtype)
    heads = [*WORKS, "custom forward", "custom backward"]
    lines = [f"best rate: {peak / 1e9:,.0f} GFLOP/s, {at}", "", "| layer | input |" + "".join(f" {h} |" for h in heads)]
    lines += ["|---|---|" + "---:|" * len(heads)]
    total, flops = 0.0, 0.0
    for i, (layer, given) in enumerate(inputs_of(trainer, images)):
        one, works = calls(layer, given, dtype)
        needed = [name for name in works if i or name == "forward"]  # whitening filters have no gradients
        seconds = {name: measure(works[name], world.device, repeats).seconds for name in needed}
        total, flops = total + sum(seconds.values()), flops + one * len(seconds)
        rates = [one / seconds[name] / 1e9 if name in seconds else None for name in works]
        own = custom(layer, given, world.device, repeats) if dtype is torch.bfloat16 else []
        rates += [one * passes / each / 1e9 for passes, each in zip((1, 2), own, strict=False)] or [None, None]
        cells = "".join(" |" if rate is None else f" {rate:,.0f} |" for rate in rates)
        lines.append(f"| {layer.in_channels} to {layer.out_channels} | {given.shape[2]} pixels |{cells}")
    scheduled = trainer.task.scheduler.at(0)
    step = measure(lambda: state.step([(images, labels)], scheduled), world.device, repeats).seconds
    lines += ["", f"convolutions {1000 * total:,.0f} ms, at the best rate {1000 * flops / peak:,.0f} ms"]
    lines += [f"step {1000 * step:,.0f} ms, {batch / step:,.0f} images/s: {flops / step / peak:.0%} of the best rate"]
    return lines


def prepared(experiment: Experiment, images: int, folder: Path, world: World) -> Trainer[Any]:
    """Return a trainer on noise that is ready to step."""
    write_noise(folder, images)
    trainer = set_up(experiment, folder, folder / "stats.json", 0, None, world, Clock(world.device))
    trainer.resume()
    return trainer


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="cpu")
    parser.add_argument("--batch", type=int)
    parser.add_argument("--size", type=int, default=32)
    parser.add_argument("--repeats", type=int, default=7)
    args = parser.parse_args()
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{args.preset}.yaml"))
    batch = args.batch or preset["train"]["batch"]
    over = {"train": {"batch": batch, "cuda_graph": False}, "run": {"gpus": 0}}
    with tempfile.TemporaryDirectory() as name, joined() as world:
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.preset}, batch {batch}")
        trainer = prepared(check(merge(preset, over)), 2 * batch, Path(name), world)
        print("\n".join(table(trainer, batch, args.size, args.repeats, world)))


if __name__ == "__main__":
    main()
