"""Samples of a trained GAN. Sample i of a seed has a random stream of its own: it is the same in any number."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from dawn.runtime.streams import stream
from dawn.tasks.gan.samples import BATCH, generate
from dawn.tasks.gan.weights import Trained, restored

Images = NDArray[np.uint8]
Latents = NDArray[np.float32]
Labels = NDArray[np.int64]


def trained(path: Path) -> Trained:
    """The GAN in a file of weights, on the GPU if there is one."""
    gan, device = restored(path), torch.device("cuda" if torch.cuda.is_available() else "cpu")
    gan.generator.to(device)
    gan.critic.to(device)
    return gan


@torch.inference_mode()
def scores(gan: Trained, images: Images, labels: Labels) -> NDArray[np.float32]:
    """The critic's scores (n,) of images uint8 (n, h, w, 3) of these classes."""
    device, parts = next(gan.critic.parameters()).device, []
    for first in range(0, len(images), BATCH):
        batch, classes = (
            torch.tensor(array[first : first + BATCH], device=device) for array in (images, labels)
        )  # fmt: skip
        parts.append(gan.critic(batch.permute(0, 3, 1, 2).float() / 127.5 - 1, classes))
    scores: NDArray[np.float32] = torch.cat(parts).float().cpu().numpy()
    return scores


def latents(seed: int, draws: Iterable[int], size: int, truncation: float | None = None) -> Latents:
    """Latent vectors N(0, 1) float32 (n, size) of the samples ``draws``, each from the stream of (seed, draw).

    With ``truncation``, components beyond it are drawn again until none is; the others stay as they are.
    """
    return np.stack([_latent(stream(seed, "sample", draw), size, truncation) for draw in draws])


def _latent(rng: np.random.Generator, size: int, truncation: float | None) -> Latents:
    values = rng.standard_normal(size, dtype=np.float32)
    while truncation is not None and len(beyond := np.flatnonzero(np.abs(values) > truncation)):
        values[beyond] = rng.standard_normal(len(beyond), dtype=np.float32)
    return values


def between(first: Latents, last: Latents, steps: int) -> Latents:
    """``steps`` latents (n, steps, size) on the arc from ``first`` to ``last``, both (n, size) and included.

    On the straight line the middle would be shorter than any latent that the generator was trained on.
    """
    unit = [ends / np.linalg.norm(ends, axis=1, keepdims=True) for ends in (first, last)]
    angle = np.arccos(np.clip((unit[0] * unit[1]).sum(1), -1, 1))[:, None, None]
    place = np.linspace(0, 1, steps)[None, :, None]
    line = (1 - place) * first[:, None] + place * last[:, None]
    sine = np.where(np.sin(angle) > 1e-6, np.sin(angle), 1)  # parallel latents have no arc
    arc = (np.sin((1 - place) * angle) * first[:, None] + np.sin(place * angle) * last[:, None]) / sine
    return np.where(np.sin(angle) > 1e-6, arc, line).astype(np.float32)


class GanSampler:
    """A trained GAN as a sampler (dawn/tasks/generative/sampler.py)."""

    def __init__(self, gan: Trained) -> None:
        self.gan, self.classes, self.conditional = gan, gan.classes, gan.settings.conditional
        self.size = gan.settings.generator.latent

    def samples(self, seed: int, labels: Labels, truncation: float | None) -> Images:
        """The samples 0 .. n - 1 of a seed, of the classes ``labels`` (n,)."""
        return generate(self.gan.generator, latents(seed, range(len(labels)), self.size, truncation), labels)

    def between(
        self, seed: int, pairs: Sequence[tuple[int, int]], steps: int, labels: Labels, truncation: float | None
    ) -> Images:
        """Rows (pairs, steps, h, w, 3) from one sample to another, of the classes ``labels`` (pairs,)."""
        first, last = (latents(seed, numbers, self.size, truncation) for numbers in zip(*pairs, strict=True))
        rows = between(first, last, steps).reshape(-1, self.size)
        images = generate(self.gan.generator, rows, labels.repeat(steps))
        return images.reshape(len(pairs), steps, *images.shape[1:])

    def scores(self, images: Images, labels: Labels) -> NDArray[np.float32]:
        """The critic's scores (n,)."""
        return scores(self.gan, images, labels)


def sampler(path: Path) -> GanSampler:
    """The GAN in a file of weights as a sampler."""
    return GanSampler(trained(path))
