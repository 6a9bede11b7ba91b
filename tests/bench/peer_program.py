"""The published program airbench94_muon.py on the CPU, training on our batches from our weights."""

import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn

from dawn.data.dataset import Trainset
from dawn.engine.trainer import Trainer
from dawn.runtime.distributed import World


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


def train_by_program(
    path: Path, dtype: str, ours: Trainer[Any], weights: list[Tensor], batch: int
) -> tuple[list[list[Tensor]], float]:
    """Train by the program on the batches of a trainer of ours.

    Return its weights after each epoch, and the seconds of training.
    """
    peer = program(path, dtype)
    loader = Loader(ours.task.trainset, ours.world, getattr(torch, {"float": "float32"}.get(dtype, dtype)))
    net = peer.CifarNet().to(memory_format=torch.channels_last)
    seconds: list[float] = []
    after: list[list[Tensor]] = []

    def reset() -> None:
        for own, weight in zip(net.parameters(), weights, strict=True):
            own.data.copy_(weight)

    def evaluate(net: nn.Module, loader: Loader, tta_level: int) -> float:
        if tta_level == 0:  # after an epoch; the last one, with views, is on the program's clock
            after.append(copies(net))
        return 0.0

    net.reset, net.init_whiten = reset, lambda images: None  # ours are whitened already
    peer.names |= {
        "CifarLoader": lambda *_, **__: loader, "evaluate": evaluate,
        "print_training_details": lambda variables, is_final_entry: seconds.append(variables["time_seconds"]),
    }  # fmt: skip
    constants = peer.main.__code__.co_consts
    code = peer.main.__code__.replace(co_consts=tuple(batch if value == 2000 else value for value in constants))
    peer.main.__code__ = code  # the batch is a number in its code, from which the weight decay follows
    with mock.patch.multiple(torch.cuda, Event=Event, synchronize=lambda: None):
        peer.main(0, net)
    return after, seconds[-1]


def copies(net: nn.Module) -> list[Tensor]:
    """Return copies of the weights."""
    return [p.detach().clone() for p in net.parameters()]
