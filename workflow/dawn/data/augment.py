"""The random draws of an epoch, and crops, flips, resizing and normalisation of images that stay on the device.

A crop, a flip and the choice of the batch are one indexing operation on a view of all possible windows.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dawn.config.augment import Augment
from dawn.data.augmentations import active
from dawn.runtime.streams import stream


class Draws(NamedTuple):
    """The random draws of an epoch, by position in its order."""

    order: Tensor  # int64 (n,): the image at that position
    flip: Tensor  # int64 (n,): 1 mirrors it
    down: Tensor  # int64 (n,): first row of the crop in the padded image
    right: Tensor  # int64 (n,): first column
    chance: Tensor  # float32 (n, active augmentations, 2): uniform in [0, 1)


def draw(count: int, augment: Augment, seed: int, epoch: int) -> Draws:
    """Return the draws of one epoch, which depend on the seed and the epoch, not on the device or the processes."""
    return Draws(*map(torch.from_numpy, drawn(count, augment, seed, epoch)))


def drawn(count: int, augment: Augment, seed: int, epoch: int) -> tuple[np.ndarray, ...]:
    """Return the same as arrays of numpy.

    Each draw has its own stream of random numbers, and is made only where a setting needs it.
    """

    def below(bound: int, purpose: str, rows: int, needed: object = True) -> np.ndarray:
        shape = (rows, count)
        return stream(seed, purpose, epoch).integers(0, bound, shape) if needed else np.zeros(shape, np.int64)

    order = stream(seed, "order", epoch).permutation(count)
    (flip,) = below(2, "flip", 1, augment.flip == "random")
    if augment.flip == "alternating":  # half the images in even epochs, the other half in odd ones
        flip = (stream(seed, "alternating flip").integers(0, 2, count)[order] + epoch) % 2
    crop = below(2 * augment.pad + 1, "crop", 2, augment.pad)
    chance = np.zeros((count, len(active(augment)), 2), np.float32)
    for i, name in enumerate(active(augment)):
        chance[:, i] = stream(seed, name, epoch).random((count, 2), np.float32)
    return order, flip, *crop, chance


def padded(images: Tensor, augment: Augment) -> Tensor:
    """Add a border to uint8 (n, h, w, 3): symmetric repeats the edge pixel, reflect does not, zero is black.

    enlarge resizes to the same size, bicubic as in Pillow.
    """
    if augment.pad == 0:
        return images
    if augment.mode == "enlarge":
        return resized(images, images.shape[1] + 2 * augment.pad, "bicubic")
    for axis in (1, 2):
        images = _pad(images, axis, augment)
    return images


def _pad(images: Tensor, axis: int, augment: Augment) -> Tensor:
    size, pad = images.shape[axis], augment.pad
    if augment.mode == "zero":
        border = torch.zeros_like(images.narrow(axis, 0, pad))
        return torch.cat([border, images, border], axis)
    place = torch.arange(-pad, size + pad, device=images.device)
    edge = 1 if augment.mode == "symmetric" else 0
    place = torch.where(place < 0, -place - edge, place)
    place = torch.where(place >= size, 2 * size - 2 + edge - place, place)
    return images.index_select(axis, place)


def windows(images: Tensor, augment: Augment) -> Tensor:
    """Return a view (flips, n, 2 pad + 1, 2 pad + 1, h, w, 3) of every crop of every image, plain and mirrored."""
    size = images.shape[1]
    border = padded(images, augment)
    sides = torch.stack([border, border.flip(2)] if augment.flip != "none" else [border])
    return sides.unfold(2, size, 1).unfold(3, size, 1).permute(0, 1, 2, 3, 5, 6, 4)


def resized(images: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    """Resize uint8 (n, h, w, 3) to ``size`` x ``size`` pixels: bilinear or bicubic, with antialiasing, rounded."""
    if images.shape[1:3] == (size, size):
        return images
    return torch.cat([interpolated(part, size, mode) for part in torch.split(images, 2000)])


def interpolated(images: Tensor, size: int, mode: str = "bilinear") -> Tensor:
    """Do the same with so few images that float32 copies of all of them fit in memory."""
    pixels = functional.interpolate(images.permute(0, 3, 1, 2).float(), (size, size), mode=mode, antialias=True)
    return pixels.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def normalise(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """Normalise (b, h, w, 3) pixels from 0 to 255 to float32 (b, 3, h, w) in channels-last memory.

    mean and std are those of pixels from 0 to 1. Whole rows are scaled, because three channels would not vectorise.
    """
    b, h, w, channels = pixels.shape
    scale = (1 / (255 * std)).repeat(w)
    rows = torch.addcmul((-mean / std).repeat(w), pixels.reshape(b, h, w * channels).float(), scale)
    return rows.view(b, h, w, channels).permute(0, 3, 1, 2)
