"""The lesson's network: Darknet's residual layers on small images (fast.ai deep learning 2, lesson 12)."""

from torch import Tensor, nn

from dawn.tasks.classify.networks.darknet.settings import Darknet
from dawn.tasks.classify.networks.layers import SIDE, activation, pooling


def conv_layer(
    model: Darknet, ni: int, nf: int, kernel: int = 3, stride: int = 1, inplace: bool = True
) -> nn.Sequential:
    """Return convolution, batch norm, activation: (b, ni, h, w) to (b, nf, h / stride, w / stride)."""
    return nn.Sequential(
        nn.Conv2d(ni, nf, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(nf, momentum=model.bn_momentum),
        activation(model.activation, model.inplace and inplace, model.slope),
    )


class ResLayer(nn.Module):
    """x + branch(x), the branch a bottleneck of ``ratio`` times the channels: (b, n, h, w) to the same shape.

    Convolutions of ``extra_kernels`` follow the bottleneck, inside the branch.

    In place, the sum overwrites the branch's output, which the backward pass of the branch's last activation must not
    need: that activation is out of place then. ReLU saves its output, so with ReLU the activation is in place and the
    sum is not. Adding into x would overwrite what the first convolution saves for its backward pass.
    """

    def __init__(self, model: Darknet, channels: int) -> None:
        super().__init__()
        inside = int(channels * model.ratio)
        kernels = (*model.kernels, *model.extra_kernels)
        widths = [channels, *[inside] * (len(model.kernels) - 1), channels, *[channels] * len(model.extra_kernels)]
        last = len(kernels) - 1
        self.inplace = model.inplace and model.activation != "relu"
        self.branch = nn.Sequential(
            *(
                conv_layer(model, widths[i], widths[i + 1], kernel, inplace=i < last or not self.inplace)
                for i, kernel in enumerate(kernels)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """Return x plus its branch."""
        branch: Tensor = self.branch(x)
        return branch.add_(x) if self.inplace else x + branch


def build(model: Darknet, classes: int) -> nn.Sequential:
    """Return stem, groups, pooling and a linear layer: images (b, 3, h, w) of any size to logits (b, classes).

    Group i doubles the channels at stride 2 (group 1 at stride 1); ``blocks[i]`` residual layers follow.
    """
    layers: list[nn.Module] = [conv_layer(model, 3, model.width)]
    channels, side = model.width, SIDE
    for i, count in enumerate(model.blocks):
        stride = 1 if i == 1 else 2
        layers.append(conv_layer(model, channels, channels * 2, stride=stride))
        channels, side = channels * 2, -(-side // stride)
        layers.extend(ResLayer(model, channels) for _ in range(count))
    return nn.Sequential(*layers, pooling(model.pool, side), nn.Flatten(), nn.Linear(channels, classes))
