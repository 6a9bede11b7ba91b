"""Two trainings in turn, each in a process of its own, so that a machine whose speed drifts shows in the spread."""

import contextlib
import multiprocessing
import statistics
import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision import transforms

from dawn.engine.shutdown import StopRequest
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined

Epoch = Callable[[], object]
Pair = Mapping[str, float]  # images/s of both sides by their names
Side = Callable[[Any, Path], Epoch]  # from an experiment and a folder of arrays to an epoch


class Images(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """A map-style data set: one image at a time, transformed."""

    def __init__(self, folder: Path, steps: list[Callable[[Any], Any]]) -> None:
        self.images, self.labels = (np.load(folder / f"train_{part}.npy") for part in ("images", "labels"))
        self.pipeline = transforms.Compose([transforms.ToTensor(), *steps])

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.pipeline(self.images[i]), int(self.labels[i])


def fastest_loader(images: Images, batch: int, epoch: Callable[[Any], None]) -> Epoch:
    """Return an epoch of the plain loop with the number of workers, 0 to 2, that is the fastest here."""
    loaders = [
        torch.utils.data.DataLoader(
            images, batch, shuffle=True, drop_last=True, num_workers=n, persistent_workers=n > 0
        )
        for n in (0, 1, 2)
    ]
    times = []
    for loader in loaders:
        epoch(loader)
        start = time.perf_counter()
        epoch(loader)
        times.append(time.perf_counter() - start)
    best = min(range(3), key=lambda i: times[i])
    print(f"plain: {best} workers are the fastest ({', '.join(f'{t:.2f} s' for t in times)})", flush=True)
    return lambda: epoch(loaders[best])


def trained(set_up: Callable[..., Any], experiment: Any, folder: Path) -> Epoch:
    """Return an epoch of the trainer of a GAN or a CycleGAN, which ``set_up`` of its package returns."""
    with joined() as world:
        trainer = set_up(experiment, folder, None, 0, None, world, Clock(world.device))
    trainer.resume()
    epochs = trainer.run(StopRequest(True))
    return lambda: next(epochs)


def serve(side: Side, experiment: Any, folder: Path, line: Connection) -> None:
    """Send the seconds of an epoch for each request."""
    warnings.simplefilter("ignore")
    epoch = side(experiment, folder)
    epoch()
    line.send(0.0)
    with contextlib.suppress(EOFError):  # the parent was stopped
        while line.recv():
            start = time.perf_counter()
            epoch()
            line.send(time.perf_counter() - start)


def compare(sides: Mapping[str, Side], experiment: Any, folder: Path, images: int, pairs: int) -> list[Pair]:
    """Measure two sides in turn. Return the images/s of each pair by the names of the sides."""
    spawn, rates, lines = multiprocessing.get_context("spawn"), list[Pair](), {}
    for name, side in sides.items():
        lines[name], theirs = spawn.Pipe()
        spawn.Process(target=serve, args=(side, experiment, folder, theirs)).start()
        lines[name].recv()
    for _ in range(pairs):
        seconds = {}
        for name, line in lines.items():
            line.send(True)
            seconds[name] = line.recv()
        rates.append({name: images / s for name, s in seconds.items()})
    for line in lines.values():
        line.send(False)
    return rates


def summary(rates: Sequence[Pair], unit: str = "images/s") -> str:
    """Return the medians of two sides' rates and of their ratio, with the range of the ratio."""
    one, other = rates[0]
    ratios = sorted(pair[one] / pair[other] for pair in rates)
    a, b = (statistics.median(pair[name] for pair in rates) for name in (one, other))
    return (
        f"{one} {a:,.1f} {unit}, {other} {b:,.1f}: {statistics.median(ratios):.3f} times "
        f"({ratios[0]:.3f} to {ratios[-1]:.3f}, {len(rates)} pairs)"
    )
