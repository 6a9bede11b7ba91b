"""Augmentations that change the pixels of each image: pure, batched functions, listed in the order of their use.

Each takes a batch, its setting in ``train.augment``, which is not 0, and for each image two random numbers, uniform in
[0, 1), from a stream of its own.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dawn.config.augment import Augment

Augmentation = Callable[[Tensor, float, Tensor], Tensor]


def around(middle: float, spread: float, chance: Tensor) -> Tensor:
    """(b, 1, 1, 1) uniform between middle - spread and middle + spread, from (b, 2) random numbers."""
    return (middle + spread * (2 * chance[:, 0] - 1))[:, None, None, None]


def brightness(pixels: Tensor, spread: float, chance: Tensor) -> Tensor:
    """Multiply (b, h, w, 3) pixels by a factor; clamped like torchvision's adjust_brightness on floats."""
    return (pixels.float() * around(1, spread, chance)).clamp_(0, 255)


def contrast(pixels: Tensor, spread: float, chance: Tensor) -> Tensor:
    """Multiply the distance of (b, h, w, 3) pixels from the image's mean grey (ITU-R 601) by a factor; clamped too."""
    red, green, blue = pixels.float().mean((1, 2)).unbind(1)
    grey = 0.2989 * red + 0.587 * green + 0.114 * blue
    return torch.lerp(grey[:, None, None, None], pixels.float(), around(1, spread, chance)).clamp_(0, 255)


def offset(images: Tensor, spread: float, chance: Tensor) -> Tensor:
    """Add a number to the normalised pixels of (b, 3, h, w) (hiverge's brightness)."""
    return images + around(0, spread, chance)


def gain(images: Tensor, spread: float, chance: Tensor) -> Tensor:
    """Multiply the normalised pixels of (b, 3, h, w) by a factor (hiverge's contrast)."""
    return images * around(1, spread, chance)


def cutout(images: Tensor, side: float, chance: Tensor) -> Tensor:
    """Set a square of ``side`` pixels of normalised (b, 3, h, w) to 0, the mean colour; it may extend over the edge."""
    inside = []
    for i, length in enumerate(images.shape[2:]):
        centre = (chance[:, i] * length).long()
        distance = torch.arange(length, device=images.device) - centre[:, None] + int(side) // 2
        inside.append((distance >= 0) & (distance < side))
    cut = images.clone(memory_format=torch.preserve_format)  # masked_fill would leave the channels-last format
    return cut.masked_fill_((inside[0][:, :, None] & inside[1][:, None, :])[:, None], 0)


# By the name of the setting: first those of pixels from 0 to 255, (b, h, w, 3), then those of normalised images,
# (b, 3, h, w). A new one needs a function, a setting in config/augment.py and a line here.
ON_PIXELS: dict[str, Augmentation] = {
    "brightness": brightness,
    "contrast": contrast,
}
ON_NORMALISED: dict[str, Augmentation] = {
    "offset": offset,
    "gain": gain,
    "cutout": cutout,
}


def active(augment: Augment) -> list[str]:
    """Return the names of the augmentations whose setting is not 0, in the order of their use."""
    return [name for name in (*ON_PIXELS, *ON_NORMALISED) if getattr(augment, name)]


def apply(functions: dict[str, Augmentation], images: Tensor, augment: Augment, chance: Tensor) -> Tensor:
    """Apply the active ones of ``functions``; chance is (b, active, 2), in the order of ``active``."""
    for i, name in enumerate(active(augment)):
        if name in functions:
            images = functions[name](images, getattr(augment, name), chance[:, i])
    return images
