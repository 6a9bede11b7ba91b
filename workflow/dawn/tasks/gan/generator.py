"""The generator: from a latent vector to an image.

lesson and dcgan, at s pixels and width w: a transposed convolution makes the latent vector a map of 4 x 4 pixels and
w s/8 channels; layers double its size and halve its channels, to s/2 pixels and w channels; then come the extra 3x3
convolutions, and a last layer that doubles the size and makes three channels. sn_cnn has one layer more that doubles
the size (so 4 x 4 pixels have w s/4 channels), and a 3x3 convolution after it. All end in tanh.

No layer before a batch norm has a bias, which the batch norm would cancel; the notebook's order, in which the
activation is between the two, has none either. Sources: lesson, fastai's courses/dl2/wgan.ipynb; dcgan, arXiv
1511.06434 and pytorch/examples; sn_cnn, arXiv 1802.05957, table 3.
"""

from torch import Tensor, nn

from dawn.tasks.gan import settings as parts
from dawn.tasks.gan.layers import FIRST, Block, Conv, at_least_fp32, doublings
from dawn.tasks.gan.upsampling import doubling


class Generator(nn.Module):
    """Images of ``size`` pixels from latent vectors; conditional on the class if ``classes`` is above 0."""

    def __init__(self, settings: parts.Generator, classes: int, size: int) -> None:
        super().__init__()
        sn_cnn, kind = settings.architecture == "sn_cnn", settings.upsampling
        count = doublings(size) - (0 if sn_cnn else 1)  # the last layer of the others doubles the size too
        channels = settings.width << count

        def block(layer: nn.Module, outputs: int) -> Block:
            return Block(layer, nn.ReLU(inplace=True), outputs, settings.architecture == "lesson", classes)

        blocks = [block(nn.ConvTranspose2d(settings.latent, channels, FIRST, bias=False), channels)]
        for _ in range(count):
            blocks.append(block(doubling(kind, channels, channels // 2), channels // 2))
            channels //= 2
        for _ in range(0 if sn_cnn else settings.extra_layers):
            blocks.append(block(Conv(channels, channels, 3, padding=1, bias=False), channels))
        self.blocks = nn.ModuleList(blocks)
        self.last = Conv(channels, 3, 3, padding=1) if sn_cnn else doubling(kind, channels, 3)

    def forward(self, latents: Tensor, labels: Tensor) -> Tensor:
        """Latents (b, latent), labels (b,) int64 -> images (b, 3, size, size) from -1 to 1, fp32 also under autocast.

        The labels are ignored unless the generator is conditional.
        """
        x = latents[:, :, None, None]
        for block in self.blocks:
            x = block(x, labels)
        return at_least_fp32(self.last(x)).tanh()
