"""PatchGAN, the critic of a CycleGAN: a score for each patch of an image.

Layers of 4x4 convolutions with biases (arXiv 1611.07004, appendix 6.1.2): the first ``halvings`` have stride 2, then
two of stride 1; leaky ReLU 0.2 between them, instance norm without weights in all but the first and the last.
"""

from torch import nn

from dawn.tasks.cycle.layers import InstanceNorm
from dawn.tasks.cycle.settings import Patches

# A 4x4 layer of stride s sees s (r - 1) + 4 pixels where the layers after it see r: 4 and 7 from the last two.
HALVINGS = {16: 1, 34: 2, 70: 3, 142: 4}


def critic(settings: Patches) -> nn.Sequential:
    """Return a critic: float (b, 3, h, w) to scores (b, 1, h / 2^halvings - 2, w / 2^halvings - 2)."""
    width, halvings = settings.width, HALVINGS[settings.receptive_field]
    layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1), nn.LeakyReLU(0.2, inplace=True)]
    channels = width
    for layer in range(1, halvings + 1):
        before, channels = channels, width * min(2**layer, 8)
        stride = 2 if layer < halvings else 1
        layers += [nn.Conv2d(before, channels, 4, stride, 1), InstanceNorm()]
        layers += [nn.LeakyReLU(0.2, inplace=True)]
    return nn.Sequential(*layers, nn.Conv2d(channels, 1, 4, 1, 1))


def scores(size: int, receptive_field: int) -> int:
    """Return the side of the map of scores of images of ``size`` pixels, below 1 where there is none."""
    return (size >> HALVINGS[receptive_field]) - 2
