"""Images of a trained generator. Sample i of a seed has a random stream of its own: it is the same in any number."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from dawn.config.gan import Gan
from dawn.config.sections import Data
from dawn.core.cli import InputError
from dawn.gans.networks import build
from dawn.models.weights import fill, read_weights
from dawn.runtime.streams import stream

Images = NDArray[np.uint8]
Latents = NDArray[np.float32]
Labels = NDArray[np.int64]
BATCH = 500  # images in a forward pass


@dataclass(frozen=True)
class TrainedGan:
    """The networks of a file of weights, in evaluation mode, and what made them."""

    settings: Gan
    data: Data
    classes: list[str]
    generator: nn.Module
    critic: nn.Module
    device: torch.device

    @torch.inference_mode()
    def images(self, latents: Latents, labels: Labels) -> Images:
        """Images uint8 (n, h, w, 3) of latents (n, latent) and labels (n,), which a conditional generator needs."""
        made = (self.generator(*batch) for batch in self._batches(latents, labels))
        return np.concatenate([pixels(images) for images in made])

    @torch.inference_mode()
    def scores(self, images: Images, labels: Labels) -> NDArray[np.float32]:
        """The critic's scores (n,) of images uint8 (n, h, w, 3) of these classes."""
        scores = (
            self.critic(part.permute(0, 3, 1, 2).float() / 127.5 - 1, own)
            for part, own in self._batches(images, labels)
        )
        return torch.cat(list(scores)).float().cpu().numpy()

    def _batches(self, *arrays: NDArray[np.generic]) -> Iterator[tuple[Tensor, ...]]:
        for first in range(0, len(arrays[0]), BATCH):
            yield tuple(torch.tensor(array[first : first + BATCH], device=self.device) for array in arrays)


def restored(path: Path, device: torch.device) -> TrainedGan:
    """The GAN of a file of weights; an InputError for a classifier's."""
    tensors, header = read_weights(path)
    try:
        settings, data = (
            TypeAdapter(Gan).validate_python(header["gan"]),
            TypeAdapter(Data).validate_python(header["data"]),
        )
    except (KeyError, ValidationError) as error:
        raise InputError(
            f"{path} does not store a GAN; give model.safetensors of an experiment of task: gan"
        ) from error
    generator, critic = build(settings, len(header["classes"]), data.size or 32, 0)
    for name, net in {"generator": generator, "critic": critic}.items():
        own = {key.removeprefix(f"{name}."): t for key, t in tensors.items() if key.startswith(f"{name}.")}
        fill(net, own, path, f"the {name} of {settings.model_dump_json()}")
        net.to(device).eval()
    return TrainedGan(settings, data, header["classes"], generator, critic, device)


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
    """``steps`` latents (n, steps, latent) on the arc from ``first`` to ``last``, both (n, latent) and included.

    On the straight line the middle would be shorter than any latent that the generator was trained on.
    """
    unit = [ends / np.linalg.norm(ends, axis=1, keepdims=True) for ends in (first, last)]
    angle = np.arccos(np.clip((unit[0] * unit[1]).sum(1), -1, 1))[:, None, None]
    place = np.linspace(0, 1, steps)[None, :, None]
    with np.errstate(invalid="ignore"):
        arc = (np.sin((1 - place) * angle) * first[:, None] + np.sin(place * angle) * last[:, None]) / np.sin(angle)
    line = (1 - place) * first[:, None] + place * last[:, None]
    return np.where(np.sin(angle) > 1e-6, arc, line).astype(np.float32)


def pixels(images: Tensor) -> Images:
    """Images (n, 3, h, w) from -1 to 1 as pixels uint8 (n, h, w, 3)."""
    scaled = ((images.float() + 1) * 127.5).round().clamp(0, 255)
    found: Images = scaled.to(torch.uint8).permute(0, 2, 3, 1).cpu().numpy()
    return found
