"""The cost of the pipeline in addition to the arithmetic, as ratios on the same work in the same run.

    python tests/bench/throughput.py [--data data] [--pairs 9]

loop          the training loop against a bare forward, backward, step over the same network and batches in memory
augmentation  the batched augmentation against torchvision's ToTensor, RandomCrop, flip and Normalize in a DataLoader
start         snakemake -n with nothing to do against snakemake --version, in a warm directory (with --start DIR)

Each ratio is taken pair by pair, one after the other, so that a machine whose speed drifts shows in the spread, and
the median is the figure. Without --data the images are noise, which costs the same.
"""

import argparse
import subprocess
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
import yaml
from noise import write_noise
from pairs import Pair, summary
from torch.nn import functional
from torchvision import transforms

from dawn.config.experiment import check, merge, read
from dawn.core import cli
from dawn.core.host import cores
from dawn.data.dataset import Split, Trainset
from dawn.results import measurement
from dawn.results.measurement import Row
from dawn.runtime.distributed import World

ROOT = Path(__file__).resolve().parents[2]
CPU = torch.device("cpu")
COUNT, BATCH = 2560, 128
SMALL = {"model": {"blocks": [1, 1, 1], "width": 16}, "train": {"batch": BATCH, "precision": "fp32"}, "seeds": [0]}


def compare(name: str, unit: str, ours: Callable[[], int], other: Callable[[], int], pairs: int) -> list[Row]:
    """Measure both in turn, and print their rates and the ratio. Return a row for each pair."""
    rates: list[Pair] = []
    ours(), other()
    for _ in range(pairs):
        start = time.perf_counter()
        n = ours()
        middle = time.perf_counter()
        m = other()
        rates.append({"ours": n / (middle - start), "other": m / (time.perf_counter() - middle)})
    print(f"{name}: {summary(rates, unit)}")
    return measurement.repetitions(rates, name)


def arrays(data: Path | None, folder: Path) -> Path:
    """Write the data to train on: noise, or the first images of ``data``, with three images to monitor."""
    write_noise(folder, COUNT)
    for part in ("images", "labels") if data is not None else ():
        array = np.load(data / f"train_{part}.npy", mmap_mode="r")
        for split, count in (("train", COUNT), ("test", 3)):
            np.save(folder / f"{split}_{part}.npy", np.asarray(array[:count]))
    return folder


def loop(folder: Path, pairs: int) -> list[Row]:
    """An epoch of the real loop, augmentation, schedule and checks of the loss included, against the bare one."""
    from dawn.engine.shutdown import StopRequest
    from dawn.runtime.clock import Clock
    from dawn.tasks.classify.train import set_up

    settings = merge(merge(read(ROOT / "params.yaml"), SMALL), {"train": {"epochs": 10_000}})
    trainer, other = (
        set_up(check(settings), folder, folder / "stats.json", 0, None, World(0, 1, CPU), Clock(CPU)) for _ in range(2)
    )
    trainer.resume()
    bare, epochs = other.task.state, trainer.run(StopRequest(True))
    batches = [parts[0] for parts in trainer.task.trainset.epoch(0, trainer.world, 1)]

    def ours() -> int:
        next(epochs)
        return len(batches) * BATCH

    def plain() -> int:
        for images, labels in batches:
            functional.cross_entropy(bare.net(images), labels).backward()
            bare.optimizer.step()
            bare.optimizer.zero_grad()
        return len(batches) * BATCH

    return compare("loop", "images/s", ours, plain, pairs)


def augmentation(folder: Path, pairs: int) -> list[Row]:
    """An epoch of batches: crop, flip, normalise. The loader has a worker a core, kept between epochs."""
    images, labels = (np.load(folder / f"train_{part}.npy") for part in ("images", "labels"))
    split = Split(
        torch.from_numpy(images), torch.from_numpy(labels).long(), torch.full((3,), 0.48), torch.full((3,), 0.25)
    )
    augment = check(read(ROOT / "params.yaml")).train.augment
    trainset = Trainset(split, augment, 0, BATCH)
    steps = [
        transforms.ToTensor(),
        transforms.RandomCrop(32, 4, padding_mode="symmetric"),
        transforms.RandomHorizontalFlip(),
    ]
    pipeline = transforms.Compose([*steps, transforms.Normalize([0.48] * 3, [0.25] * 3)])

    class Images(torch.utils.data.Dataset):  # type: ignore[type-arg]
        def __len__(self) -> int:
            return COUNT

        def __getitem__(self, i: int) -> tuple[torch.Tensor, int]:
            return pipeline(images[i]), int(labels[i])

    workers = cores()
    loader = torch.utils.data.DataLoader(Images(), BATCH, shuffle=True, num_workers=workers, persistent_workers=True)

    def ours() -> int:
        return sum(len(parts[0][1]) for parts in trainset.epoch(0, World(0, 1, CPU), 1))

    def theirs() -> int:
        return sum(len(labels) for _, labels in loader)

    return compare("augmentation", "images/s", ours, theirs, pairs)


def start(folder: Path, pairs: int) -> list[Row]:
    """A warm dry run of a finished workflow in ``folder`` against Snakemake's own start."""
    folder = folder.resolve()
    snakemake, config = Path(sys.executable).parent / "snakemake", folder / "results/params.yaml"
    over = yaml.safe_dump(yaml.safe_load(config.read_text()))
    settings = folder / ".bench.yaml"
    settings.write_text(over)

    def run(*arguments: str) -> Callable[[], int]:
        def once() -> int:
            subprocess.run([snakemake, *arguments], cwd=folder, check=True, capture_output=True)
            return 1

        return once

    line = ["-n", "--snakefile", str(ROOT / "Snakefile"), "--configfile", str(settings)]
    try:
        return compare("start", "starts/s", run(*line), run("--version"), pairs)
    finally:
        settings.unlink()


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, help="directory of real arrays (else noise)")
    parser.add_argument("--start", type=Path, help="directory where the workflow has run")
    parser.add_argument("--pairs", type=int, default=9)
    cli.add_measurement(parser)
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}, {torch.get_num_threads()} threads")
    with tempfile.TemporaryDirectory() as folder:
        data = arrays(args.data, Path(folder))
        rows = loop(data, args.pairs) + augmentation(data, args.pairs)
    if args.start is not None:
        rows += start(args.start, args.pairs)
    measurement.save(args.measurement, "the pipeline, compared with the bare arithmetic", rows)


if __name__ == "__main__":
    main()
