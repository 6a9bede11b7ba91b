"""Build the two networks that the section ``gan`` describes."""

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm

from dawn.engine.initial_weights import draw_scales, draw_transposed
from dawn.runtime.streams import number
from dawn.tasks.gan.critic import Critic
from dawn.tasks.gan.generator import Generator
from dawn.tasks.gan.layers import ClassAffine
from dawn.tasks.gan.settings import Gan
from dawn.tasks.gan.task import check_size
from dawn.tasks.gan.upsampling import ShuffledConv

STD = 0.02  # of DCGAN's initial weights, arXiv 1511.06434


def build(gan: Gan, classes: int, size: int, seed: int) -> tuple[nn.Module, Critic]:
    """Return the generator and the critic with the initial weights of ``seed``; torch's random state is unchanged.

    The weights of one do not depend on the settings of the other. Raises InputError for a size that is no power of two.
    """
    check_size(size)
    conditional = classes if gan.conditional else 0
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number(64, seed, "generator"))
        generator = Generator(gan.generator, conditional, size)
        initialise(generator, gan.init)
        torch.manual_seed(number(64, seed, "critic"))
        critic = Critic(gan.critic, conditional, size)
        initialise(critic, gan.init)
        if gan.critic.spectral_norm:
            normalise_spectrally(critic)
    return generator, critic


def initialise(net: nn.Module, kind: str) -> None:
    """Set the initial weights, which are torch's already, to those of ``gan.init``; then ICNR where it is set."""
    if kind == "normal":
        for module in net.modules():
            draw_normal(module)
    elif kind == "torch0.3":
        draw_transposed(net)
        draw_scales(net)
        for module in net.modules():
            if isinstance(module, ClassAffine):
                nn.init.uniform_(module.gain)
    for module in net.modules():
        if isinstance(module, ShuffledConv) and module.icnr:
            module.equalise()


@torch.no_grad()
def draw_normal(module: nn.Module) -> None:
    """Draw DCGAN's weights of one layer: N(0, 0.02), gains of batch norms N(1, 0.02), no bias."""
    if isinstance(module, ClassAffine):
        module.gain.normal_(1, STD)
    elif isinstance(module, nn.BatchNorm2d) and module.affine:
        module.weight.normal_(1, STD)
    elif isinstance(module, nn.Conv2d | nn.ConvTranspose2d | nn.Linear | nn.Embedding):
        module.weight.normal_(0, STD)
        if isinstance(bias := getattr(module, "bias", None), nn.Parameter):
            bias.zero_()


def normalise_spectrally(net: nn.Module) -> None:
    """Divide the weights of every layer by their largest singular value (arXiv 1802.05957).

    One step of the power iteration is made at each forward pass while training; its vectors are buffers, so they are
    saved and loaded with the weights. In evaluation they are constant.
    """
    for module in list(net.modules()):
        if isinstance(module, nn.Conv2d | nn.Linear | nn.Embedding):
            spectral_norm(module)
