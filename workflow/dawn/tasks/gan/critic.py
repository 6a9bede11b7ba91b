"""The critic: from an image to a score, which is high for real images.

lesson and dcgan, at s pixels and width w: a 4x4 convolution of stride 2 makes w channels, without a norm; then come
the extra 3x3 convolutions, and layers that halve the size and double the channels, to 4 x 4 pixels and w s/8
channels. sn_cnn: for each size from s to 8, a 3x3 convolution (to w channels, then twice as many each time) and a 4x4
one of stride 2; then a 3x3 one that doubles the channels. In all, the score is a linear function of the last map.
The sources are those of the generator.

Conditional: plus the inner product of a vector of the class with the sum of the map over its pixels (arXiv
1802.05637, equation 3). With a classifier that sum also gives the logits of the classes (arXiv 1610.09585). Without
batch norm, layers have biases in its place.
"""

import torch
from torch import Tensor, nn

from dawn.tasks.gan import settings as parts
from dawn.tasks.gan.layers import FIRST, Block, Conv, at_least_fp32, doublings


class Critic(nn.Module):
    """Scores of images of ``size`` pixels; conditional on the class if ``classes`` is above 0."""

    def __init__(self, settings: parts.Critic, classes: int, size: int) -> None:
        super().__init__()
        sn_cnn = settings.architecture == "sn_cnn"
        blocks, channels = sn_cnn_blocks(settings, size) if sn_cnn else lesson_blocks(settings, size)
        self.blocks = nn.ModuleList(blocks)
        inputs = channels * FIRST**2
        self.final = nn.Linear(inputs, 1, bias=sn_cnn)
        self.embedding = nn.Embedding(classes, channels) if classes else None
        if self.embedding is not None:  # as the weights of the linear function, for which torch has this rule
            nn.init.uniform_(self.embedding.weight, -(inputs**-0.5), inputs**-0.5)
        self.classifier = nn.Linear(channels, classes) if settings.classifier else None

    def forward(self, images: Tensor, labels: Tensor) -> Tensor:
        """Images (b, 3, size, size), labels (b,) int64 -> scores (b,), fp32 also under autocast.

        The labels are ignored unless the critic is conditional.
        """
        return self.outputs(images, labels)[0]

    def outputs(self, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor | None]:
        """Return the scores (b,) and the logits of the classes (b, classes), None without a classifier."""
        x = images
        for block in self.blocks:
            x = block(x, labels)
        with torch.autocast(x.device.type, enabled=False):
            x = at_least_fp32(x)
            scores, summed = self.final(x.flatten(1)).squeeze(1), x.sum((2, 3))
            if self.embedding is not None:
                scores = scores + (self.embedding(labels) * summed).sum(1)
            return scores, None if self.classifier is None else self.classifier(summed)


def lesson_blocks(settings: parts.Critic, size: int) -> tuple[list[Block], int]:
    """Return the layers of lesson and dcgan, and the channels of the last."""
    channels, batch_norm = settings.width, settings.norm == "batch"

    def block(inputs: int, outputs: int, kernel: int, norm: bool) -> Block:
        # kernel 3: stride 1, kernel 4: stride 2; both pad by 1
        layer = Conv(inputs, outputs, kernel, kernel - 2, padding=1, bias=not batch_norm)
        act = nn.LeakyReLU(0.2, inplace=True)
        return Block(layer, act, outputs if norm else None, settings.architecture == "lesson")

    blocks = [block(3, channels, 4, norm=False)]
    blocks += [block(channels, channels, 3, batch_norm) for _ in range(settings.extra_layers)]
    for _ in range(doublings(size) - 1):
        blocks.append(block(channels, 2 * channels, 4, batch_norm))
        channels *= 2
    return blocks, channels


def sn_cnn_blocks(settings: parts.Critic, size: int) -> tuple[list[Block], int]:
    """Return the layers of sn_cnn, and the channels of the last."""

    def block(inputs: int, outputs: int, kernel: int) -> Block:
        return Block(Conv(inputs, outputs, kernel, kernel - 2, padding=1), nn.LeakyReLU(0.1, inplace=True), None)

    blocks, inputs, channels = [], 3, settings.width
    for _ in range(doublings(size)):
        blocks += [block(inputs, channels, 3), block(channels, channels, 4)]
        inputs, channels = channels, 2 * channels
    return [*blocks, block(inputs, channels, 3)], channels
