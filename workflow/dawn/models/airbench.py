"""The airbench94 network of K. Jordan (arXiv 2404.00498); docs/airbench.md explains its parts."""

import torch
from torch import Tensor, nn

from dawn.config.networks.airbench import Airbench
from dawn.config.types import Activation

SLOPE = 0.1  # of a leaky ReLU below zero


class Stem(nn.Conv2d):
    """The first layer: patches of the image times filters, with a bias, no padding: (b, 3, h, w) to (b, c, h', w').

    Whitened, its filters are set once from the train images (``dawn.models.whitening``) and frozen; the bias learns.
    """

    def __init__(self, model: Airbench) -> None:
        super().__init__(3, 2 * 3 * model.kernel**2, model.kernel)
        self.weight.requires_grad_(not model.whiten)
        self.eps = model.whiten_eps


class Head(nn.Linear):
    """A linear layer without bias whose logits are scaled: (b, c) to (b, classes)."""

    def __init__(self, model: Airbench, classes: int) -> None:
        super().__init__(model.widths[-1], classes, bias=False)
        self.scale = model.logit_scale
        if model.head_unit:
            with torch.no_grad():
                self.weight.div_(self.weight.std())

    def forward(self, x: Tensor) -> Tensor:
        """Logits times ``logit_scale``."""
        return super().forward(x) * self.scale


class GlobalMax(nn.Module):
    """The largest value of each channel: (b, c, h, w) to (b, c)."""

    def forward(self, x: Tensor) -> Tensor:
        """The maximum over the map, whatever its size."""
        return nn.functional.max_pool2d(x, (x.shape[2], x.shape[3])).flatten(1)


def activation(name: Activation, inplace: bool) -> nn.Module:
    """The activation of that name; GELU has no in-place form."""
    if name == "gelu":
        return nn.GELU()
    if name == "leaky_relu":
        return nn.LeakyReLU(SLOPE, inplace=inplace)
    return {"relu": nn.ReLU, "silu": nn.SiLU}[name](inplace=inplace)


def convolution(model: Airbench, ni: int, nf: int) -> nn.Conv2d:
    """3x3, same size, no bias. With ``dirac`` its first filters hand their input on (arXiv 1706.00388)."""
    layer = nn.Conv2d(ni, nf, 3, padding=1, bias=False)
    if model.dirac:
        with torch.no_grad():
            nn.init.dirac_(layer.weight[: min(ni, nf)])
    return layer


def batch_norm(model: Airbench, channels: int) -> nn.BatchNorm2d:
    """A batch norm with a bias that learns and, unless ``bn_scale``, a scale that stays 1."""
    layer = nn.BatchNorm2d(channels, eps=model.bn_eps, momentum=model.bn_momentum)
    layer.weight.requires_grad_(model.bn_scale)
    return layer


def group(model: Airbench, ni: int, nf: int) -> list[nn.Module]:
    """Convolution, pool, norm, activation, then ``depth`` - 1 times the same unpooled: maps of half the size."""
    layers: list[nn.Module] = []
    for i in range(model.depth):
        layers.append(convolution(model, ni if i == 0 else nf, nf))
        layers += [nn.MaxPool2d(2)] if i == 0 else []
        layers += [batch_norm(model, nf), activation(model.activation, model.inplace)]
    return layers


def airbench(model: Airbench, classes: int) -> nn.Sequential:
    """Stem, groups, global max pool, head: images (b, 3, h, w) to logits (b, classes)."""
    stem = Stem(model)
    layers: list[nn.Module] = [stem, activation(model.stem_activation, model.inplace)]
    channels = stem.out_channels
    for width in model.widths:
        layers += group(model, channels, width)
        channels = width
    return nn.Sequential(*layers, GlobalMax(), Head(model, classes))
