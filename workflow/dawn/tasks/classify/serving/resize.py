"""Pillow's resize of an image file as tensor operations, for networks that are exported."""

import torch
from torch import Tensor

from dawn.config.types import Resize

ONE = 1 << 22  # Pillow's coefficients are whole multiples of 1 / ONE


def scaled(images: Tensor, size: int, resize: Resize) -> Tensor:
    """Images uint8 (n, h, w, 3) at ``size`` x ``size`` pixels, uint8 (n, size, size, 3), as ``image_file.read_image``.

    Sums of whole numbers, exact in float64, so that the result is that of Pillow 13 to the last bit on every device.
    """
    height, width = positions(images.shape[1]), positions(images.shape[2])
    h, w = height[-1] + 1, width[-1] + 1
    side = torch.minimum(h, w)
    rows, columns = (side, side) if resize == "crop" else (h, w)
    across = coefficients(width, size, (w - columns) / 2, columns).T
    down = coefficients(height, size, (h - rows) / 2, rows)
    planes = images.permute(0, 3, 1, 2).to(torch.float64)
    first_across, first_down = rounded(down @ rounded(planes @ across)), rounded(rounded(down @ planes) @ across)
    high = (h > size) & (h + size > 2 * w)  # when Pillow scales the height first; each pass rounds
    return torch.where(high, first_down, first_across).permute(0, 2, 3, 1).to(torch.uint8)


def positions(count: int) -> Tensor:
    """0 to ``count`` - 1, float64 (count,)."""
    return torch.arange(count, dtype=torch.float64)


def coefficients(places: Tensor, size: int, start: Tensor, extent: Tensor) -> Tensor:
    """The weights, times ``ONE``, of the pixels at ``places`` (n,) in each of ``size`` pixels: float64 (size, n).

    The ``extent`` of the axis from ``start`` on is scaled by Pillow's bilinear filter: a triangle that ends one output
    pixel from its centre on either side, or one input pixel where these are larger.
    """
    scale = extent / size
    centres = start + (positions(size) + 0.5) * scale
    away = (places - centres[:, None] + 0.5) * (1 / scale.clamp(min=1))
    weights = (1 - away.abs()).clamp(min=0)
    return (weights / weights.sum(1, keepdim=True) * ONE + 0.5).floor()


def rounded(sums: Tensor) -> Tensor:
    """The pixels, 0 to 255, that weighted sums come to."""
    return ((sums + ONE / 2) / ONE).floor().clamp(0, 255)
