"""The random numbers of a GAN: functions of the seed, the step and what they are for, drawn for the global batch.

Each process takes its part of a draw, so several processes train on the numbers of one.
"""

from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dawn.runtime.distributed import World
from dawn.runtime.streams import stream


def latents(count: int, size: int, *name: int | str, truncation: float | None = None) -> NDArray[np.float32]:
    """Return latent vectors (count, size) from N(0, 1); those of components beyond ``truncation`` are drawn again."""
    random = stream("latents", *name)
    drawn = random.standard_normal((count, size), np.float32)
    while truncation is not None and (beyond := np.abs(drawn) > truncation).any():
        drawn[beyond] = random.standard_normal(int(beyond.sum()), np.float32)
    return drawn


def uniform(count: int, columns: int, *name: int | str) -> NDArray[np.float32]:
    """Return draws (count, columns) uniform in [0, 1)."""
    return stream("uniform", *name).random((count, columns), np.float32)


def part(values: NDArray[Any], world: World) -> Tensor:
    """Return this process's part of a draw for the global batch, on its device."""
    share = len(values) // world.size
    return torch.from_numpy(values[world.rank * share : (world.rank + 1) * share]).to(world.device, non_blocking=True)
