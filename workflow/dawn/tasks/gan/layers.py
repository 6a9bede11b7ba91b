"""What generators and critics are made of."""

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

FIRST = 4  # height and width in pixels of the smallest feature map


def doublings(size: int) -> int:
    """Return how often the smallest feature map is doubled to ``size`` pixels, a power of two."""
    return size.bit_length() - FIRST.bit_length()


def at_least_fp32(x: Tensor) -> Tensor:
    """Return ``x`` in fp32 if its format is smaller."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


class Conv(nn.Conv2d):
    """A convolution that reads its weights in fp32 also under autocast, as the power iteration of spectral norm needs.

    The convolution itself runs in autocast's format, and under autocast by ``kernel``, if one is set: a function of
    images, weight and bias.
    """

    kernel: Callable[[Tensor, Tensor, Tensor | None], Tensor] | None = None

    def forward(self, input: Tensor) -> Tensor:
        """(b, inputs, h, w) -> (b, outputs, h', w')."""
        kernel = self.kernel if torch.is_autocast_enabled(input.device.type) else None
        with torch.autocast(input.device.type, enabled=False):
            weight = self.weight
            if kernel is not None:
                return kernel(input, weight, self.bias)
        return functional.conv2d(input, weight, self.bias, self.stride, self.padding)


class ClassAffine(nn.Module):
    """A gain and a bias for each class and channel: conditional batch norm is this after one without them.

    Source: arXiv 1707.00683, section 3.
    """

    def __init__(self, classes: int, channels: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.ones(classes, channels))
        self.bias = nn.Parameter(torch.zeros(classes, channels))

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """x (b, c, h, w) and labels (b,) int64 -> (b, c, h, w) in the format of x."""
        gain, bias = (functional.embedding(labels, t)[:, :, None, None].to(x.dtype) for t in (self.gain, self.bias))
        return torch.addcmul(bias, x, gain)


class Block(nn.Module):
    """A layer, its batch norm if any, and its activation; with ``norm_last`` the activation precedes the batch norm.

    ``classes`` above 0 makes the batch norm conditional. Its normalising part remains an ordinary batch norm, so what
    replaces those by global ones (runtime/batch_norm.py) does it here too.
    """

    def __init__(
        self, layer: nn.Module, act: nn.Module, channels: int | None, norm_last: bool = False, classes: int = 0
    ) -> None:
        super().__init__()
        self.layer, self.act, self.norm_last = layer, act, norm_last
        self.norm = None if channels is None else nn.BatchNorm2d(channels, affine=not classes)
        self.affine = ClassAffine(classes, channels) if classes and channels is not None else None

    def forward(self, x: Tensor, labels: Tensor) -> Tensor:
        """x (b, c, h, w), labels (b,) int64 -> (b, channels, h', w')."""
        x = self.layer(x)
        if self.norm_last:
            return self.normalise(self.act(x), labels)
        activated: Tensor = self.act(self.normalise(x, labels))
        return activated

    def normalise(self, x: Tensor, labels: Tensor) -> Tensor:
        """Apply the batch norm, if any."""
        x = x if self.norm is None else self.norm(x)
        return x if self.affine is None else self.affine(x, labels)
