"""Layers that several networks have in common."""

from torch import nn

from dawn.config.types import Activation

SIDE = 32  # height and width in pixels of the images that a fixed pooling fits


def activation(name: Activation, inplace: bool, slope: float = 0.1) -> nn.Module:
    """Return the activation of that name; ``slope`` is that of a leaky ReLU below zero, GELU has no in-place form."""
    if name == "leaky_relu":
        return nn.LeakyReLU(slope, inplace=inplace)
    if name == "gelu":
        return nn.GELU()
    return {"relu": nn.ReLU, "silu": nn.SiLU}[name](inplace=inplace)


def pooling(kind: str, side: int) -> nn.Module:
    """Return the average over the map: adaptive, or fixed to maps of ``side`` pixels, which no other image size has."""
    return nn.AdaptiveAvgPool2d(1) if kind == "adaptive" else nn.AvgPool2d(side)


class Stem(nn.Conv2d):
    """The first layer: a convolution with bias and without padding, (b, 3, h, w) to (b, c, h', w').

    With ``whiten`` its filters are set once from the train images (dawn/tasks/classify/whitening.py) and frozen; the
    bias is trained.
    """

    def __init__(self, kernel: int, whiten: bool, eps: float) -> None:
        super().__init__(3, 2 * 3 * kernel**2, kernel)
        self.weight.requires_grad_(not whiten)
        self.eps = eps
