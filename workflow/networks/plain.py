"""An example of a network of one's own: blocks of convolution, batch norm and ReLU, each halving the image.

snakemake --config 'model={family: file, path: workflow/networks/plain.py, name: plain, arguments: {widths: [32, 64]}}'
"""

from collections.abc import Sequence

from torch import nn


def plain(classes: int, widths: Sequence[int] = (32, 64, 128)) -> nn.Sequential:
    """Return a network from images (b, 3, h, w) of any size to logits (b, classes)."""
    layers: list[nn.Module] = []
    for before, width in zip([3, *widths], widths, strict=False):
        layers += [nn.Conv2d(before, width, 3, stride=2, padding=1, bias=False), nn.BatchNorm2d(width), nn.ReLU()]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(widths[-1], classes))
