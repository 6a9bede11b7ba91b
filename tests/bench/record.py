"""Training of the airbench network in fp32, compared with a plain PyTorch loop over the same network, in pairs.

    python tests/bench/record.py [--preset record-sgd] [--pairs 9] [--images 1024] [--batch 256]

ours     dawn's own trainer: resident images, augmentation, schedule; as ``python -m dawn.train`` runs
plain    torchvision transforms in a DataLoader (of 0, 1 and 2 workers the fastest), torch's default memory format,
         cross entropy, torch.optim.SGD; what a tutorial writes

Each side is a process of its own, which keeps its memory between epochs; they take turns, so that a machine whose speed
drifts shows in the spread. The images are noise, which costs the same.
"""

import argparse
import contextlib
import multiprocessing
import os
import statistics
import tempfile
import time
import warnings
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
import torch
from noise import MEAN, STD, write_noise
from torch.nn import functional
from torchvision import transforms

from dawn.config.experiment import Experiment, check, merge, read
from dawn.models.build import build
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined
from dawn.runtime.precision import trainable
from dawn.training.setup import set_up
from dawn.training.shutdown import StopRequest

ROOT = Path(__file__).resolve().parents[2]


class Noise(torch.utils.data.Dataset):  # type: ignore[type-arg]
    """A map-style data set: one image at a time, transformed."""

    def __init__(self, folder: Path) -> None:
        self.images, self.labels = (np.load(folder / f"train_{part}.npy") for part in ("images", "labels"))
        crop = transforms.RandomCrop(32, 2, padding_mode="reflect")
        steps = [transforms.ToTensor(), crop, transforms.RandomHorizontalFlip(), transforms.Normalize(MEAN, STD)]
        self.pipeline = transforms.Compose(steps)

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
        return self.pipeline(self.images[i]), int(self.labels[i])


def ours(experiment: Experiment, folder: Path) -> Callable[[], object]:
    """Return an epoch of dawn's trainer."""
    with joined() as world:
        clock = Clock(world.device)
        trainer = set_up(experiment, folder, folder / "stats.json", 0, folder / ".state", world, clock)
    trainer.resume()
    epochs = trainer.run(StopRequest(True))
    return lambda: next(epochs)


def plain(experiment: Experiment, folder: Path) -> Callable[[], object]:
    """Return an epoch of the plain loop, with the number of workers that is the fastest here."""
    net = build(experiment.model, 10, 0).train()
    settings = experiment.train
    moves = torch.optim.SGD(trainable(net), lr=settings.schedule.peak, momentum=0.85, nesterov=True, weight_decay=5e-4)
    loaders = [
        torch.utils.data.DataLoader(
            Noise(folder), settings.batch, shuffle=True, drop_last=True, num_workers=n, persistent_workers=n > 0
        )
        for n in (0, 1, 2)
    ]

    def epoch(loader: "torch.utils.data.DataLoader[object]") -> None:
        for images, labels in loader:
            functional.cross_entropy(net(images), labels, label_smoothing=settings.label_smoothing).backward()
            moves.step()
            moves.zero_grad()

    times = []
    for loader in loaders:
        epoch(loader)
        start = time.perf_counter()
        epoch(loader)
        times.append(time.perf_counter() - start)
    best = min(range(3), key=lambda i: times[i])
    print(f"plain: {best} workers are the fastest ({', '.join(f'{t:.2f} s' for t in times)})", flush=True)
    return lambda: epoch(loaders[best])


def serve(side: str, experiment: Experiment, folder: Path, line: Connection) -> None:
    """Send the seconds of an epoch for each request."""
    warnings.simplefilter("ignore")
    epoch = {"ours": ours, "plain": plain}[side](experiment, folder)
    epoch()
    line.send(0.0)
    with contextlib.suppress(EOFError):  # the parent was stopped
        while line.recv():
            start = time.perf_counter()
            epoch()
            line.send(time.perf_counter() - start)


def main() -> None:
    """Measure in turns and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--preset", default="record-sgd")
    parser.add_argument("--pairs", type=int, default=9)
    parser.add_argument("--images", type=int, default=1024)
    parser.add_argument("--batch", type=int, default=256)
    args = parser.parse_args()
    small = {"batch": args.batch, "epochs": 10_000, "precision": "fp32", "compile": False, "cuda_graph": False}
    preset = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{args.preset}.yaml"))
    experiment = check(merge(preset, {"train": small}))
    os.environ["CUDA_VISIBLE_DEVICES"] = ""
    spawn, rates = multiprocessing.get_context("spawn"), []
    with tempfile.TemporaryDirectory() as name:
        write_noise(Path(name), args.images)
        lines = {}
        for side in ("ours", "plain"):
            lines[side], theirs = spawn.Pipe()
            spawn.Process(target=serve, args=(side, experiment, Path(name), theirs)).start()
            lines[side].recv()
        for _ in range(args.pairs):
            times = {}
            for side, line in lines.items():
                line.send(True)
                times[side] = line.recv()
            rates.append([args.images / times[side] for side in ("ours", "plain")])
        for line in lines.values():
            line.send(False)
    ratios = sorted(a / b for a, b in rates)
    a, b = (statistics.median(column) for column in zip(*rates, strict=True))
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads, {args.preset}, batch {args.batch}")
    print(f"ours {a:,.0f} images/s, plain {b:,.0f}: {statistics.median(ratios):.3f} times as fast", end=" ")
    print(f"({ratios[0]:.3f} to {ratios[-1]:.3f}, {args.pairs} pairs)")


if __name__ == "__main__":
    main()
