"""Layers that double the height and width of a feature map, one for each value of ``gan.generator.upsampling``.

A transposed convolution whose stride does not divide its kernel size covers pixels unevenly, which shows as a
checkerboard (distill.pub/2016/deconv-checkerboard): transposed3 does, transposed4 does not.
"""

import torch
from torch import nn

from dawn.tasks.gan.layers import Conv
from dawn.tasks.gan.settings import Upsampling


class ShuffledConv(nn.Sequential):
    """A 3x3 convolution to four times the channels, which PixelShuffle arranges as 2 x 2 pixels (arXiv 1609.05158)."""

    def __init__(self, inputs: int, outputs: int, bias: bool, icnr: bool) -> None:
        super().__init__(Conv(inputs, 4 * outputs, 3, padding=1, bias=bias), nn.PixelShuffle(2))
        self.icnr = icnr

    @torch.no_grad()
    def equalise(self) -> None:
        """Give the four pixels of each output channel equal weights: nearest-neighbour upsampling (arXiv 1707.02937).

        The weights of the first are kept, so the distribution of the initial weights is unchanged.
        """
        for parameter in self[0].parameters():  # (4 outputs, ...), the four of a channel in succession
            parameter.copy_(parameter[::4].repeat_interleave(4, 0))


def doubling(kind: Upsampling, inputs: int, outputs: int, bias: bool = False) -> nn.Module:
    """Return a layer (b, inputs, h, w) -> (b, outputs, 2h, 2w)."""
    if kind == "transposed4":
        return nn.ConvTranspose2d(inputs, outputs, 4, 2, padding=1, bias=bias)
    if kind == "transposed3":
        return nn.ConvTranspose2d(inputs, outputs, 3, 2, padding=1, output_padding=1, bias=bias)
    if kind in ("nearest", "bilinear"):
        larger = nn.Upsample(scale_factor=2, mode=kind, align_corners=False if kind == "bilinear" else None)
        return nn.Sequential(larger, Conv(inputs, outputs, 3, padding=1, bias=bias))
    return ShuffledConv(inputs, outputs, bias, icnr=kind == "pixel_shuffle_icnr")
