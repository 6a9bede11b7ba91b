"""Images through a generator: pixels in, pixels out."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dawn.runtime.streams import stream
from dawn.tasks.generative.pixels import to_pixels

BATCH = 100  # images in a forward pass
Pixels = NDArray[np.uint8]
Doubles = NDArray[np.float64]


def to_input(pixels: Pixels, device: torch.device) -> Tensor:
    """Return pixels uint8 (b, h, w, 3) as float32 (b, 3, h, w) from -1 to 1."""
    images = torch.tensor(pixels, device=device).permute(0, 3, 1, 2)
    return (images.float() / 127.5 - 1).contiguous()


@torch.no_grad()
def translate(generator: nn.Module, pixels: Pixels) -> Pixels:
    """Return the translations uint8 (n, h, w, 3) of images (n, h, w, 3), computed in fp32."""
    device = next(generator.parameters()).device
    blocks = [pixels[first : first + BATCH] for first in range(0, len(pixels), BATCH)]
    return np.concatenate([to_pixels(generator(to_input(block, device))) for block in blocks])


@torch.no_grad()
def round_trip(there: nn.Module, back: nn.Module, pixels: Pixels, noise: float, name: str) -> tuple[Pixels, Doubles]:
    """Return images (n, h, w, 3) translated and back, uint8, and their mean absolute error (n,) in levels of 256.

    Normal noise of standard deviation ``noise`` levels is added to the translation, which is neither rounded nor
    clipped. The noise is that of ``name``, whatever the networks.
    """
    device = next(there.parameters()).device
    images, errors = [], []
    for first in range(0, len(pixels), BATCH):
        source = to_input(pixels[first : first + BATCH], device)
        translation = there(source)
        if noise:
            random = stream("noise", name, first).standard_normal(translation.shape, np.float32)
            translation = translation + torch.from_numpy(random).to(device) * (noise / 127.5)
        restored = back(translation)
        images.append(to_pixels(restored))
        errors.append((restored - source).abs().mean((1, 2, 3)).double().cpu().numpy() * 127.5)
    return np.concatenate(images), np.concatenate(errors)
