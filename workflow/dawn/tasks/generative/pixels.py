"""Generated images as pixels."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from dawn.core.cli import InputError


def to_pixels(images: Tensor) -> NDArray[np.uint8]:
    """Return images (b, 3, h, w) from -1 to 1 as pixels uint8 (b, h, w, 3), rounded; an InputError where one is NaN."""
    if not bool(torch.isfinite(images).all()):
        raise InputError("the generator gives images that are NaN or infinite; train again, with lower learning rates")
    pixels = ((images.float() + 1) * 127.5).round().clamp(0, 255).to(torch.uint8)
    array: NDArray[np.uint8] = pixels.permute(0, 2, 3, 1).contiguous().cpu().numpy()
    return array
