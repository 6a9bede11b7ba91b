"""The published program airbench94_muon.py, moved to the CPU: whether the preset takes the same steps, and how fast.

    python tests/bench/peer.py --program airbench94_muon.py [--data data] [--pairs 5] [--batch 500] [--set KEY=VALUE]

The program is that of github.com/KellerJordan/cifar10-airbench, which is no part of this repository. It runs unchanged
but for its number format (fp32 to compare the weights; for the time bf16, weights included, in place of fp16) and
without torch.compile. Both sides train on the same batches from the same weights, an epoch of one batch, eight times.
``--set`` merges settings with those of our side for the time, such as ``train.custom_kernels=true``. ``--data`` is a
folder of arrays; without it the images are noise, which costs the same.
"""

import argparse
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
import yaml
from noise import write_noise
from torch import Tensor, nn

from dawn.config.experiment import Experiment, check, merge, read
from dawn.data.dataset import Trainset
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined
from dawn.training.setup import set_up
from dawn.training.shutdown import StopRequest
from dawn.training.trainer import Trainer

ROOT = Path(__file__).resolve().parents[2]
PLAIN = {"precision": "fp32", "compile": False, "cuda_graph": False, "custom_kernels": False, "monitor_every": 1000}


class Loader:
    """The batches of our train set, as the program asks for them."""

    def __init__(self, trainset: Trainset, world: World, dtype: torch.dtype) -> None:
        self.trainset, self.world, self.dtype, self.epoch = trainset, world, dtype, 0
        self.images, self.labels = trainset.split.slice(0, 5000)

    def __len__(self) -> int:
        return self.trainset.steps

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        for ((images, labels),) in self.trainset.epoch(self.epoch, self.world, 1):
            yield images.to(self.dtype), labels
        self.epoch += 1

    def normalize(self, images: Tensor) -> Tensor:
        """They are normalised already."""
        return images


class Event:
    """A CUDA event by the CPU's clock."""

    def __init__(self, enable_timing: bool) -> None:
        self.at = 0.0

    def record(self) -> None:
        """Take the time."""
        self.at = time.perf_counter()

    def elapsed_time(self, other: "Event") -> float:
        """Return the milliseconds until the other."""
        return 1000 * (other.at - self.at)


def program(path: Path, dtype: str) -> SimpleNamespace:
    """Return the names of the program, in another number format, on the CPU."""
    source = path.read_text(encoding="utf-8").replace("@torch.compile\n", "")
    for format in (".half()", ".bfloat16()"):  # of the network, and of Muon's iterations
        source = source.replace(format, f".{dtype}()")
    names: dict[str, Any] = {"__name__": "airbench94_muon"}
    exec(compile(source, str(path), "exec"), names)  # a program that the user names
    return SimpleNamespace(**names, names=names)


def theirs(path: Path, dtype: str, ours: Trainer[Any], weights: list[Tensor], batch: int) -> tuple[nn.Module, float]:
    """Train by the program on the batches of a trainer of ours. Return its network and the seconds of training."""
    peer = program(path, dtype)
    loader = Loader(ours.task.trainset, ours.world, getattr(torch, {"float": "float32"}.get(dtype, dtype)))
    net = peer.CifarNet().to(memory_format=torch.channels_last)
    seconds: list[float] = []

    def reset() -> None:
        for own, weight in zip(net.parameters(), weights, strict=True):
            own.data.copy_(weight)

    net.reset, net.init_whiten = reset, lambda images: None  # type: ignore[assignment]  # ours are whitened already
    peer.names |= {
        "CifarLoader": lambda *_, **__: loader, "evaluate": lambda *_, **__: 0.0,
        "print_training_details": lambda variables, is_final_entry: seconds.append(variables["time_seconds"]),
    }  # fmt: skip
    constants = peer.main.__code__.co_consts
    code = peer.main.__code__.replace(co_consts=tuple(batch if value == 2000 else value for value in constants))
    peer.main.__code__ = code  # the batch is a number in its code, from which the weight decay follows
    with mock.patch.multiple(torch.cuda, Event=Event, synchronize=lambda: None):
        peer.main(0, net)
    return net, seconds[-1]


def trainer(experiment: Experiment, data: Path, world: World) -> Trainer[Any]:
    """Return a trainer that is ready to run."""
    nowhere = Path(tempfile.mkdtemp(dir=data)) / "state"  # a new directory, so that no checkpoint is found
    found = set_up(experiment, data, data / "stats.json", 0, nowhere, world, Clock(world.device))
    found.resume()
    return found


def main() -> None:
    """Compare weights, then times in turns; print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", type=Path, required=True)
    parser.add_argument("--data", type=Path)
    parser.add_argument("--pairs", type=int, default=5)
    parser.add_argument("--batch", type=int, default=500)
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name, joined() as world:
        data = Path(name)
        if args.data:
            shutil.copytree(args.data, data, dirs_exist_ok=True)
        else:
            write_noise(data, args.batch)
        print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, batch {args.batch}", flush=True)
        compare_weights(args, data, world)
        compare_times(args, data, world)


def settings(batch: int, over: dict[str, Any]) -> Experiment:
    """Return the preset with another batch, for which its learning rate and weight decay are scaled."""
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / "workflow/presets/airbench-muon.yaml"))
    scaled = {"batch": batch, "weight_decay": 2e-6 * batch / (0.67 * batch), "schedule": {"peak": 0.67 * batch}}
    return check(merge(merge(preset, {"train": scaled | PLAIN}), over))


def compare_weights(args: argparse.Namespace, data: Path, world: World) -> None:
    """Print how far the weights of both are from each other, and from the first ones, after eight epochs in fp32."""
    ours = trainer(settings(args.batch, {}), data, world)
    first = [p.detach().clone() for p in ours.task.state.net.parameters()]
    list(ours.run(StopRequest(True)))
    net, _ = theirs(args.program, "float", ours, first, args.batch)
    print(f"fp32, {ours.step} steps: distance of the weights from the program's, over how far they went")
    for i, (own, other, start) in enumerate(
        zip(ours.task.state.net.parameters(), net.parameters(), first, strict=True)
    ):
        went = (other - start).norm()
        if went:
            print(f"  weight {i:2} {tuple(own.shape)}: {((own - other).norm() / went).item():.1e}")


def compare_times(args: argparse.Namespace, data: Path, world: World) -> None:
    """Print the images/s of both in turns, in bf16."""
    over: dict[str, Any] = {"train": {"precision": "bf16"}}
    for item in args.set:
        key, value = item.split("=", 1)
        nested: Any = yaml.safe_load(value)
        for part in reversed(key.split(".")):
            nested = {part: nested}
        over = merge(over, nested)
    rates = []
    for _ in range(args.pairs + 1):
        ours = trainer(settings(args.batch, over), data, world)
        first = [p.detach().clone() for p in ours.task.state.net.parameters()]
        list(ours.run(StopRequest(True)))
        _, seconds = theirs(args.program, "bfloat16", ours, first, args.batch)
        rates.append((ours.step * args.batch / ours.seconds(), ours.step * args.batch / seconds))
    ratios = sorted(a / b for a, b in rates[1:])  # the first pair warms up
    own, other = (statistics.median(column) for column in zip(*rates[1:], strict=True))
    print(
        f"bf16 {' '.join(args.set)}: ours {own:,.0f} images/s, the program {other:,.0f}: "
        f"{statistics.median(ratios):.3f} times ({ratios[0]:.3f} to {ratios[-1]:.3f}, {len(ratios)} pairs)"
    )


if __name__ == "__main__":
    main()
