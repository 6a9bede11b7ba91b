"""Two trainings in turn, each in a process of its own, so that a machine whose speed drifts shows in the spread."""

import contextlib
import multiprocessing
import statistics
import time
import warnings
from collections.abc import Callable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torchvision import transforms

from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined
from dawn.training.shutdown import StopRequest

Epoch = Callable[[], object]
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
        trainer = set_up(experiment, folder, 0, None, world, Clock(world.device))
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


def compare(sides: Mapping[str, Side], experiment: Any, folder: Path, images: int, pairs: int) -> str:
    """Measure two sides in turn; return the medians of their images/s and of the ratios, with the range."""
    spawn, rates, lines = multiprocessing.get_context("spawn"), [], {}
    for name, side in sides.items():
        lines[name], theirs = spawn.Pipe()
        spawn.Process(target=serve, args=(side, experiment, folder, theirs)).start()
        lines[name].recv()
    for _ in range(pairs):
        seconds = []
        for line in lines.values():
            line.send(True)
            seconds.append(line.recv())
        rates.append([images / s for s in seconds])
    for line in lines.values():
        line.send(False)
    ratios = sorted(a / b for a, b in rates)
    a, b = (statistics.median(column) for column in zip(*rates, strict=True))
    one, other = sides
    return (
        f"{one} {a:,.0f} images/s, {other} {b:,.0f}: {statistics.median(ratios):.3f} times as fast "
        f"({ratios[0]:.3f} to {ratios[-1]:.3f}, {pairs} pairs)"
    )
