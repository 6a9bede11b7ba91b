"""The data set, resident on the device, and the batches of an epoch cut from it."""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from dawn.config.augment import Augment
from dawn.config.records import Channels
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data.augment import Draws, drawn, normalise, resized, windows
from dawn.data.augmentations import ON_NORMALISED, ON_PIXELS, apply
from dawn.data.splits import load_split
from dawn.runtime.distributed import World

MicroBatch = tuple[Tensor, Tensor]  # images float32 (b, 3, h, w), labels int64 (b,)


@dataclass(frozen=True)
class Split:
    """One split on the device: images uint8 (n, h, w, 3), labels int64 (n,), channel statistics of train (3,)."""

    images: Tensor
    labels: Tensor
    mean: Tensor
    std: Tensor

    def __len__(self) -> int:
        """The number of images."""
        return len(self.labels)

    def at(self, size: int) -> "Split":
        """The same images at ``size`` x ``size`` pixels."""
        return replace(self, images=resized(self.images, size))

    def slice(self, first: int, last: int) -> tuple[Tensor, Tensor]:
        """Images first .. last - 1, normalised, float32 (b, 3, h, w), and their labels."""
        return normalise(self.images[first:last], self.mean, self.std), self.labels[first:last]


def load(data: Path, stats: Path | None, name: str, device: torch.device) -> Split:
    """The split ``name`` of the arrays in ``data``, copied to the device once.

    Without ``stats`` its mean and standard deviation are 0.5, so that normalised pixels are from -1 to 1.
    """
    images, labels = load_split(data, name)
    channel = read_json(stats, Channels) if stats else {"mean": [0.5] * 3, "std": [0.5] * 3}
    mean, std = (torch.tensor(channel[key], dtype=torch.float32, device=device) for key in ("mean", "std"))
    return Split(torch.tensor(images, device=device), torch.tensor(labels, dtype=torch.int64, device=device), mean, std)


class Trainset:
    """The train split with its augmentation: an epoch's batches, of which a process sees its part.

    The order and the draws of an epoch are those of the whole data set, so a world of any size, or one that
    resumes inside an epoch, trains on the same batches. Images left over when the batch does not divide the
    data set sit that epoch out.
    """

    def __init__(self, split: Split, augment: Augment, seed: int, batch: int) -> None:
        if len(split) < batch:
            raise InputError(f"train.batch = {batch} is more than the {len(split)} images of the train split; lower it")
        self.split, self.augment, self.seed, self.batch = split, augment, seed, batch
        self.steps, self.whole = len(split) // batch, split.images.shape[1]
        self.make, self.size = make, 0
        self.thread = ThreadPoolExecutor(1)
        self.drawn: dict[int, Future[tuple[np.ndarray, ...]]] = {}  # the draws of the next epoch, by its number

    def compile(self) -> None:
        """Fuse the augmentation of a batch into few kernels."""
        self.make = torch.compile(make, dynamic=False)

    def resize(self, size: int) -> None:
        """Give the images at ``size`` x ``size`` pixels from now on; pad and cutout stay so many pixels.

        InputError if these do not fit into the images.
        """
        if fault := self.augment.beyond(size):
            raise InputError(fault)
        if size != self.size:  # made when first needed, which the clock of the training sees
            self.size, self.windows = size, windows(resized(self.split.images, size), self.augment)

    def epoch(
        self, epoch: int, world: World, parts: int, start: int = 0, stop: int | None = None
    ) -> Iterator[list[MicroBatch]]:
        """From step ``start`` to ``stop``, each step's ``parts`` micro-batches, of each the share of this process.

        A micro-batch is the same images whatever the number of processes, since batch norm measures over it.
        """
        self.resize(self.size or self.whole)
        draws = self.draws(epoch)
        share = self.batch // (world.size * parts)
        for step in range(start, self.steps if stop is None else stop):
            places = [step * self.batch + (part * world.size + world.rank) * share for part in range(parts)]
            yield [self.cut(draws, place, share) for place in places]

    def draws(self, epoch: int) -> Draws:
        """The random draws of an epoch, on the device. Those of the next epoch are begun in another thread."""
        now = self.drawn.pop(epoch, None) or self._begin(epoch)
        self.drawn = {epoch + 1: self._begin(epoch + 1)}
        return Draws(*(torch.from_numpy(array).to(self.split.images.device) for array in now.result()))

    def _begin(self, epoch: int) -> Future[tuple[np.ndarray, ...]]:
        return self.thread.submit(drawn, len(self.split), self.augment, self.seed, epoch)

    def cut(self, draws: Draws, first: int, count: int) -> tuple[Tensor, Tensor]:
        """``count`` augmented images from position ``first`` on, float32 (b, 3, h, w), and their labels (b,)."""
        d = Draws(*(t[first : first + count] for t in draws))
        images = self.make(self.windows, d, self.augment, self.split.mean, self.split.std)
        return images, self.split.labels[d.order]


def make(view: Tensor, draws: Draws, augment: Augment, mean: Tensor, std: Tensor) -> Tensor:
    """Return the augmented images of ``draws`` (b,) from a view of all windows: float32 (b, 3, h, w), normalised."""
    pixels = apply(ON_PIXELS, view[draws.flip, draws.order, draws.down, draws.right], augment, draws.chance)
    return apply(ON_NORMALISED, normalise(pixels, mean, std), augment, draws.chance)
