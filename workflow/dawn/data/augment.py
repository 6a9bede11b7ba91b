"""Augmentation of resident images: pure, batched tensor functions; pixels stay uint8 until the last step.

A crop, a flip and the choice of the batch are one indexing operation into a view of all possible windows.
"""

from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dawn.config.parts import Augment
from dawn.runtime.streams import stream


class Draws(NamedTuple):
    """What chance decides about an epoch, by position in its order; each of shape (n,)."""

    order: Tensor  # int64: the image at that position
    flip: Tensor  # int64: 1 mirrors it
    down: Tensor  # int64: first row of the crop in the padded image
    right: Tensor  # int64: first column
    cut_y: Tensor  # int64: centre of the cut-out square
    cut_x: Tensor  # int64
    brightness: Tensor  # float32: factor of the pixels, or summand of the normalised ones
    contrast: Tensor  # float32: factor


def draw(count: int, size: int, augment: Augment, seed: int, epoch: int) -> Draws:
    """The draws of one epoch: a function of the seed and the epoch alone, whatever the device or the processes.

    Each draw has its own stream of random numbers, and is made only where a setting needs it.
    """

    def below(bound: int, purpose: str, rows: int, needed: object = True) -> np.ndarray:
        shape = (rows, count)
        return stream(seed, purpose, epoch).integers(0, bound, shape) if needed else np.zeros(shape, np.int64)

    def around(middle: float, spread: float, purpose: str) -> np.ndarray:
        """float32 (count,), uniform between middle - spread and middle + spread."""
        if not spread:
            return np.full(count, middle, np.float32)
        return middle + spread * (2 * stream(seed, purpose, epoch).random(count, np.float32) - 1)

    order = stream(seed, "order", epoch).permutation(count)
    (flip,) = below(2, "flip", 1, augment.flip == "random")
    if augment.flip == "alternating":  # half the images in even epochs, the other half in odd ones
        flip = (stream(seed, "alternating flip").integers(0, 2, count)[order] + epoch) % 2
    crop = below(2 * augment.pad + 1, "crop", 2, augment.pad)
    cut = below(size, "cutout", 2, augment.cutout)
    brightness = around(0 if augment.jitter == "normalised" else 1, augment.brightness, "brightness")
    contrast = around(1, augment.contrast, "contrast")
    return Draws(*(torch.from_numpy(array) for array in (order, flip, *crop, *cut, brightness, contrast)))


def padded(images: Tensor, augment: Augment) -> Tensor:
    """uint8 (n, h, w, 3) with a border: symmetric repeats the edge pixel, reflect does not, zero is black."""
    if augment.pad == 0:
        return images
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
    """A view (flips, n, 2 pad + 1, 2 pad + 1, h, w, 3) of every crop of every image, plain and mirrored."""
    size = images.shape[1]
    border = padded(images, augment)
    sides = torch.stack([border, border.flip(2)] if augment.flip != "none" else [border])
    return sides.unfold(2, size, 1).unfold(3, size, 1).permute(0, 1, 2, 3, 5, 6, 4)


def resized(images: Tensor, size: int) -> Tensor:
    """uint8 (n, h, w, 3) at ``size`` x ``size`` pixels: bilinear, smoothed where it shrinks, rounded."""
    if images.shape[1:3] == (size, size):
        return images
    return torch.cat([interpolated(part, size) for part in torch.split(images, 2000)])


def interpolated(images: Tensor, size: int) -> Tensor:
    """The same of so few images that float32 copies of all of them fit in memory."""
    pixels = functional.interpolate(images.permute(0, 3, 1, 2).float(), (size, size), mode="bilinear", antialias=True)
    return pixels.round_().clamp_(0, 255).to(torch.uint8).permute(0, 2, 3, 1).contiguous()


def normalise(pixels: Tensor, mean: Tensor, std: Tensor) -> Tensor:
    """(b, h, w, 3) on the scale 0 to 255 to float32 (b, 3, h, w) in channels-last memory.

    mean and std are of [0, 1] pixels. Whole rows are scaled at once: three channels alone would not vectorise.
    """
    b, h, w, channels = pixels.shape
    scale = (1 / (255 * std)).repeat(w)
    rows = torch.addcmul((-mean / std).repeat(w), pixels.reshape(b, h, w * channels).float(), scale)
    return rows.view(b, h, w, channels).permute(0, 3, 1, 2)


def cutout(images: Tensor, side: int, centre_y: Tensor, centre_x: Tensor) -> Tensor:
    """Normalised (b, 3, h, w) with a square of ``side`` pixels set to 0, the mean colour; it may hang over the edge."""
    hit = []
    for length, centre in ((images.shape[2], centre_y), (images.shape[3], centre_x)):
        offset = torch.arange(length, device=images.device) - centre[:, None] + side // 2
        hit.append((offset >= 0) & (offset < side))
    cut = images.clone(memory_format=torch.preserve_format)  # masked_fill would leave the channels-last format
    return cut.masked_fill_((hit[0][:, :, None] & hit[1][:, None, :])[:, None], 0)


def jitter(pixels: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """uint8 (b, h, w, 3) to float32 on the same scale: times brightness (b,), then mixed with the mean grey.

    The weights of grey are ITU-R 601's; each step is clamped to 0..255, as torchvision's adjust_* do on floats.
    """
    bright = (pixels.float() * brightness[:, None, None, None]).clamp_(0, 255)
    red, green, blue = bright.mean((1, 2)).unbind(1)
    grey = 0.2989 * red + 0.587 * green + 0.114 * blue
    return torch.lerp(grey[:, None, None, None], bright, contrast[:, None, None, None]).clamp_(0, 255)


def jitter_normalised(images: Tensor, brightness: Tensor, contrast: Tensor) -> Tensor:
    """Normalised (b, 3, h, w) plus brightness (b,), times contrast (b,), unclamped (hiverge)."""
    return (images + brightness[:, None, None, None]) * contrast[:, None, None, None]
