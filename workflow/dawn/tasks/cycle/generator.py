"""The generator of a CycleGAN: convolutions that halve the size twice, residual blocks, and back to the size.

The shapes are those of Johnson et al. (arXiv 1603.08155) as CycleGAN has them (arXiv 1703.10593, appendix 7.2), with
reflection padding, instance norm without weights, and biases in all convolutions:

    7x7, w    3x3 stride 2, 2w    3x3 stride 2, 4w    ``blocks`` x (3x3, 3x3, 4w)    up, 2w    up, w    7x7, 3, tanh
"""

from collections.abc import Callable

from torch import Tensor, nn

from dawn.tasks.cycle.layers import InstanceNorm
from dawn.tasks.cycle.settings import Translator

SCALE = 4  # by which height and width shrink before the residual blocks


def generator(settings: Translator) -> nn.Sequential:
    """Return a generator: float (b, 3, h, w) in [-1, 1] to the same, h and w divisible by ``SCALE``."""
    width = settings.width
    up = UPSAMPLING[settings.upsampling]
    return nn.Sequential(
        *(nn.ReflectionPad2d(3), nn.Conv2d(3, width, 7), *normalised()),
        *(nn.Conv2d(width, 2 * width, 3, 2, 1), *normalised()),
        *(nn.Conv2d(2 * width, 4 * width, 3, 2, 1), *normalised()),
        *(Residual(4 * width) for _ in range(settings.blocks)),
        *(*up(4 * width, 2 * width), *normalised()),
        *(*up(2 * width, width), *normalised()),
        *(nn.ReflectionPad2d(3), nn.Conv2d(width, 3, 7), nn.Tanh()),
    )


class Residual(nn.Module):
    """x plus two convolutions of it; no activation after the sum."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            *(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), *normalised()),
            *(nn.ReflectionPad2d(1), nn.Conv2d(channels, channels, 3), InstanceNorm()),
        )

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) to the same."""
        y: Tensor = self.layers(x)
        return x + y


def normalised() -> list[nn.Module]:
    """Return an instance norm and the activation after it."""
    return [InstanceNorm(), nn.ReLU(inplace=True)]


def transposed(inputs: int, outputs: int) -> list[nn.Module]:
    """Return a transposed 3x3 convolution of stride 2, whose outputs get 1, 2 or 4 taps of the kernel in turn."""
    return [nn.ConvTranspose2d(inputs, outputs, 3, 2, 1, output_padding=1)]


def resized(mode: str) -> Callable[[int, int], list[nn.Module]]:
    """Return what makes an upsampling by resizing, with a 3x3 convolution on a reflected border after it."""

    def make(inputs: int, outputs: int) -> list[nn.Module]:
        return [nn.Upsample(scale_factor=2, mode=mode), nn.ReflectionPad2d(1), nn.Conv2d(inputs, outputs, 3)]

    return make


UPSAMPLING: dict[str, Callable[[int, int], list[nn.Module]]] = {
    "transposed3": transposed,
    "nearest": resized("nearest"),
    "bilinear": resized("bilinear"),
}
