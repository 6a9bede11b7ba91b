"""Wide residual networks (arXiv 1605.07146), with the paper's block or that of fast.ai's DAWNBench entry."""

from torch import Tensor, nn

from dawn.tasks.classify.networks.layers import SIDE, pooling
from dawn.tasks.classify.networks.wrn.settings import WideResNet

STEM = 16


class Block(nn.Module):
    """Pre-activation residual block: (b, ni, h, w) to (b, nf, h / stride, w / stride).

    With a = relu(bn(x)), the branch is the convolutions B(M) of a, with batch norm, ReLU and dropout between them.
    plain: x + branch; scaled: a + scale * branch. Where the shape changes, a 1x1 convolution of a replaces x or a.
    """

    def __init__(self, model: WideResNet, ni: int, nf: int, stride: int) -> None:
        super().__init__()
        self.inplace, self.scaled, self.scale = model.inplace, model.block == "scaled", model.scale
        self.enter = nn.Sequential(nn.BatchNorm2d(ni), nn.ReLU(inplace=model.inplace))
        first, *others = model.kernels
        layers: list[nn.Module] = [convolution(model, ni, nf, first, stride)]
        for kernel in others:
            layers += [nn.BatchNorm2d(nf), nn.ReLU(inplace=model.inplace)]
            layers += [nn.Dropout(model.dropout)] if model.dropout else []
            layers.append(convolution(model, nf, nf, kernel))
        self.branch = nn.Sequential(*layers)
        self.shortcut = convolution(model, ni, nf, 1, stride) if (ni, stride) != (nf, 1) else None

    def forward(self, x: Tensor) -> Tensor:
        """Return the shortcut plus the branch; in place, the sum overwrites the branch."""
        entered = self.enter(x)
        branch: Tensor = self.branch(entered)
        short = self.shortcut(entered) if self.shortcut is not None else entered if self.scaled else x
        if self.scaled:
            branch = branch.mul_(self.scale) if self.inplace else branch * self.scale
        return branch.add_(short) if self.inplace else short + branch


def convolution(model: WideResNet, ni: int, nf: int, kernel: int, stride: int = 1) -> nn.Conv2d:
    """Return a convolution with "same" padding and without bias; ``init: he`` is arXiv 1502.01852, normal, fan-in."""
    layer = nn.Conv2d(ni, nf, kernel, stride, padding=kernel // 2, bias=False)
    if model.init == "he":
        nn.init.kaiming_normal_(layer.weight)
    return layer


def build(model: WideResNet, classes: int) -> nn.Sequential:
    """Return a stem of 16 channels, groups of 16k, 32k and 64k at strides 1, 2 and 2, then BN, ReLU, pooling, linear.

    k is ``width``; images (b, 3, h, w) to logits (b, classes).
    """
    layers: list[nn.Module] = [convolution(model, 3, STEM, 3)]
    channels = STEM
    for group, stride in enumerate((1, 2, 2)):
        width = int(STEM * model.width) * 2**group
        for i in range(model.group_blocks):
            layers.append(Block(model, channels, width, stride if i == 0 else 1))
            channels = width
    tail = [nn.BatchNorm2d(channels), nn.ReLU(inplace=model.inplace), pooling(model.pool, SIDE // 4), nn.Flatten()]
    return nn.Sequential(*layers, *tail, nn.Linear(channels, classes))
