"""The lesson's network: Darknet's residual layers on small images (fast.ai deep learning 2, lesson 12)."""

from torch import Tensor, nn

from dawn.config.networks.darknet import Darknet

SIDE = 32  # pixels of an image, for which a fixed pool is cut


def activation(model: Darknet, inplace: bool) -> nn.Module:
    """The activation named in the section; GELU has no in-place form."""
    if model.activation == "leaky_relu":
        return nn.LeakyReLU(model.slope, inplace=inplace)
    if model.activation == "gelu":
        return nn.GELU()
    return {"relu": nn.ReLU, "silu": nn.SiLU}[model.activation](inplace=inplace)


def conv_layer(
    model: Darknet, ni: int, nf: int, kernel: int = 3, stride: int = 1, inplace: bool = True
) -> nn.Sequential:
    """Convolution, batch norm, activation: (b, ni, h, w) to (b, nf, h / stride, w / stride)."""
    return nn.Sequential(
        nn.Conv2d(ni, nf, kernel, stride, padding=kernel // 2, bias=False),
        nn.BatchNorm2d(nf, momentum=model.bn_momentum),
        activation(model, model.inplace and inplace),
    )


class ResLayer(nn.Module):
    """x + branch(x), the branch a bottleneck of ``ratio`` times the channels: (b, n, h, w) to the same.

    In place, the sum is written over the branch's output. That is right only while nobody needs this output for a
    gradient: the branch's last activation must not be in place then, and not ReLU, which keeps its result, so ReLU
    stays in place and its sum is not. Adding into x would destroy what the first convolution keeps.
    """

    def __init__(self, model: Darknet, channels: int) -> None:
        super().__init__()
        inside = int(channels * model.ratio)
        widths = [channels, *[inside] * (len(model.kernels) - 1), channels]
        last = len(model.kernels) - 1
        self.inplace = model.inplace and model.activation != "relu"
        self.branch = nn.Sequential(
            *(
                conv_layer(model, widths[i], widths[i + 1], kernel, inplace=i < last or not self.inplace)
                for i, kernel in enumerate(model.kernels)
            )
        )

    def forward(self, x: Tensor) -> Tensor:
        """x plus its branch."""
        branch: Tensor = self.branch(x)
        return branch.add_(x) if self.inplace else x + branch


def pooling(kind: str, side: int) -> nn.Module:
    """The average over a map: all of it, or a window of ``side`` pixels, which fits a map of that side alone."""
    return nn.AdaptiveAvgPool2d(1) if kind == "adaptive" else nn.AvgPool2d(side)


def darknet(model: Darknet, classes: int) -> nn.Sequential:
    """Stem, groups, pool, linear: images (b, 3, h, w) of any size to logits (b, classes).

    Group i doubles the channels at stride 2 (group 1 at stride 1), then adds ``blocks[i]`` residual layers.
    """
    layers: list[nn.Module] = [conv_layer(model, 3, model.width)]
    channels, side = model.width, SIDE
    for i, count in enumerate(model.blocks):
        stride = 1 if i == 1 else 2
        layers.append(conv_layer(model, channels, channels * 2, stride=stride))
        channels, side = channels * 2, -(-side // stride)
        layers.extend(ResLayer(model, channels) for _ in range(count))
    return nn.Sequential(*layers, pooling(model.pool, side), nn.Flatten(), nn.Linear(channels, classes))
