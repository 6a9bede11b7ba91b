"""The airbench94 network of K. Jordan (arXiv 2404.00498); docs/airbench.md explains its parts."""

import torch
from torch import Tensor, nn

from dawn.tasks.classify.networks.airbench.settings import Airbench
from dawn.tasks.classify.networks.layers import Stem, activation


class Head(nn.Linear):
    """A linear layer without bias whose logits are scaled: (b, c) to (b, classes)."""

    def __init__(self, model: Airbench, classes: int) -> None:
        super().__init__(model.widths[-1], classes, bias=False)
        self.scale = model.logit_scale
        if model.head_unit:
            with torch.no_grad():
                self.weight.div_(self.weight.std())

    def forward(self, x: Tensor) -> Tensor:
        """Return the logits times ``logit_scale``."""
        return super().forward(x) * self.scale


class GlobalMax(nn.Module):
    """Global max pooling: (b, c, h, w) to (b, c)."""

    def forward(self, x: Tensor) -> Tensor:
        """Return the maximum of each channel."""
        return nn.functional.max_pool2d(x, (x.shape[2], x.shape[3])).flatten(1)


def convolution(model: Airbench, ni: int, nf: int) -> nn.Conv2d:
    """Return a 3x3 convolution that keeps the size, without bias; ``dirac``: its first filters are the identity.

    Dirac initialisation: arXiv 1706.00388.
    """
    layer = nn.Conv2d(ni, nf, 3, padding=1, bias=False)
    if model.dirac:
        with torch.no_grad():
            nn.init.dirac_(layer.weight[: min(ni, nf)])
    return layer


def batch_norm(model: Airbench, channels: int) -> nn.BatchNorm2d:
    """Return a batch norm whose bias is trained and whose scale stays 1 unless ``bn_scale``."""
    layer = nn.BatchNorm2d(channels, eps=model.bn_eps, momentum=model.bn_momentum)
    layer.weight.requires_grad_(model.bn_scale)
    return layer


def group(model: Airbench, ni: int, nf: int) -> list[nn.Module]:
    """Return convolution, max pooling, batch norm, activation, then the same ``depth`` - 1 times without pooling.

    (b, ni, h, w) to (b, nf, h / 2, w / 2).
    """
    layers: list[nn.Module] = []
    for i in range(model.depth):
        layers.append(convolution(model, ni if i == 0 else nf, nf))
        layers += [nn.MaxPool2d(2)] if i == 0 else []
        layers += [batch_norm(model, nf), activation(model.activation, model.inplace)]
    return layers


def build(model: Airbench, classes: int) -> nn.Sequential:
    """Return stem, groups, global max pooling and head: images (b, 3, h, w) to logits (b, classes)."""
    stem = Stem(model.kernel, model.whiten, model.whiten_eps)
    layers: list[nn.Module] = [stem, activation(model.stem_activation, model.inplace)]
    channels = stem.out_channels
    for width in model.widths:
        layers += group(model, channels, width)
        channels = width
    return nn.Sequential(*layers, GlobalMax(), Head(model, classes))
