"""DiffAugment: the same kinds of differentiable changes to the real and the generated images that the critic sees.

The generator then cannot learn the changes, and the critic learns few images by heart less easily. Source of the kinds
and of their ranges: arXiv 2006.10738 and its code. Each is a function of draws of the caller's, uniform in [0, 1), so
there is no random state; equal draws give equal changes. Only products and sums of images are used, so gradients are
deterministic on a GPU.
"""

from collections.abc import Sequence

import torch
from torch import Tensor

DRAWS = {"color": 3, "translation": 2, "cutout": 2}  # per image
SHIFT = 1 / 8  # the largest translation, of the image's size
HOLE = 1 / 2  # the height and width of the square that is cut out, of the image's size


def draws_needed(policy: Sequence[str]) -> int:
    """Return k, the draws per image of all changes in the policy."""
    return sum(DRAWS[kind] for kind in policy)


def augment(images: Tensor, policy: Sequence[str], draws: Tensor) -> Tensor:
    """Return images (b, 3, h, w) from -1 to 1, changed as ``policy`` lists, by draws (b, k) in [0, 1)."""
    if draws.shape != (len(images), draws_needed(policy)):
        raise ValueError(f"draws {tuple(draws.shape)}: {(len(images), draws_needed(policy))} are needed")
    apply = {"color": color, "translation": translation, "cutout": cutout}
    with torch.autocast(images.device.type, enabled=False):
        for kind, part in zip(policy, torch.split(draws, [DRAWS[kind] for kind in policy], 1), strict=True):
            images = apply[kind](images, part)
    return images


def color(images: Tensor, draws: Tensor) -> Tensor:
    """Change brightness (plus -0.5 to 0.5), saturation (times 0 to 2) and contrast (times 0.5 to 1.5), in this order.

    Draws (b, 3); 0.5 changes nothing.
    """
    brightness, saturation, contrast = draws.to(images.dtype).view(-1, 3, 1, 1, 1).unbind(1)
    images = images + (brightness - 0.5)
    grey = images.mean(1, keepdim=True)
    images = grey + (images - grey) * (2 * saturation)
    mean = images.mean((1, 2, 3), keepdim=True)
    return mean + (images - mean) * (contrast + 0.5)


def translation(images: Tensor, draws: Tensor) -> Tensor:
    """Shift by up to an eighth of the size, down and to the right or back; what comes in is 0. Draws (b, 2)."""
    down, right = (shift_matrix(draws[:, i], size).to(images.dtype) for i, size in enumerate(images.shape[2:]))
    return down[:, None] @ images @ right[:, None].mT


def shift_matrix(draws: Tensor, size: int) -> Tensor:
    """Return matrices (b, size, size) of 0 and 1 that shift a vector by as much as draws (b,) say."""
    most = int(size * SHIFT + 0.5)
    shift = integer(draws, 2 * most + 1) - most
    places = torch.arange(size, device=draws.device)
    return places[:, None] - places == shift[:, None, None]


def cutout(images: Tensor, draws: Tensor) -> Tensor:
    """Set to 0 a square of half the size, whose centre is anywhere in the image; it may stick out. Draws (b, 2)."""
    for_rows, for_columns = (in_hole(draws[:, i], size) for i, size in enumerate(images.shape[2:]))
    hole = for_rows[:, None, :, None] & for_columns[:, None, None, :]
    return images * ~hole


def in_hole(draws: Tensor, size: int) -> Tensor:
    """Return (b, size): which rows or columns are in the hole that draws (b,) place."""
    side = int(size * HOLE + 0.5)
    start = integer(draws, size + 1 - side % 2) - side // 2
    places = torch.arange(size, device=draws.device) - start[:, None]
    return (places >= 0) & (places < side)


def integer(draws: Tensor, count: int) -> Tensor:
    """Return uniform integers 0 to count - 1 from uniform draws in [0, 1); a product may round up to ``count``."""
    return (draws * count).long().clamp(max=count - 1)
