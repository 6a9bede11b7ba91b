"""What brings an image to a trained network's input; stored with the weights, so that they can be used anywhere."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from pydantic import TypeAdapter, ValidationError
from torch import Tensor

from dawn.config.experiment import Experiment
from dawn.config.records import Channels
from dawn.config.types import Resize
from dawn.core.array_file import IMAGES, load_array
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data.augment import interpolated, normalise


@dataclass(frozen=True)
class Preprocessing:
    """From an image of any size to the network's input, in three steps.

    ``resize`` (``dawn.data.image_file``) brings a file to ``size`` x ``size`` pixels, as the arrays have them; then
    they are scaled to ``final_size``, at which the training ended; then each channel of [0, 1] pixels loses ``mean``
    and is divided by ``std``, both (3,) in the order red, green, blue.
    """

    size: int
    resize: Resize
    final_size: int
    mean: tuple[float, float, float]
    std: tuple[float, float, float]

    @classmethod
    def of(cls, experiment: Experiment, data: Path, stats: Path) -> "Preprocessing":
        """Return that of a training on the arrays in ``data`` with the channel statistics in ``stats``."""
        size = int(load_array(data / "train_images.npy", IMAGES).shape[1])
        channels, sizes = read_json(stats, Channels), experiment.train.sizes
        return cls(
            size,
            experiment.data.resize,
            sizes[-1][1] if sizes else size,
            tuple(channels["mean"]),
            tuple(channels["std"]),
        )

    @classmethod
    def parse(cls, values: Any, source: Path) -> "Preprocessing":
        """Check and return that in the header of ``source``."""
        try:
            parsed = TypeAdapter(cls).validate_python(values)
        except ValidationError as error:
            raise InputError(f"{source} does not store its preprocessing; train again to have it stored") from error
        if not (all(map(math.isfinite, (*parsed.mean, *parsed.std))) and min(parsed.std) > 0):
            raise InputError(
                f"{source}: the preprocessing has mean {list(parsed.mean)} and std {list(parsed.std)}, which must be "
                "finite, and std above 0; run dawn.stats and train again"
            )
        return parsed

    def plain(self) -> dict[str, Any]:
        """The preprocessing as values of JSON."""
        return asdict(self)

    def seen(self, images: Tensor) -> Tensor:
        """The images uint8 (n, size, size, 3) at the network's input size, uint8 (n, final_size, final_size, 3)."""
        return images if self.final_size == self.size else interpolated(images, self.final_size)

    def input(self, images: Tensor) -> Tensor:
        """The network's input, float32 (n, 3, final_size, final_size), of images uint8 (n, size, size, 3)."""
        mean, std = (torch.tensor(values, device=images.device) for values in (self.mean, self.std))
        return normalise(self.seen(images), mean, std)
