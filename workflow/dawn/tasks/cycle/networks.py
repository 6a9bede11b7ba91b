"""The four networks of a CycleGAN."""

from dataclasses import dataclass

import torch
from torch import nn

from dawn.core.cli import InputError
from dawn.runtime.streams import number
from dawn.tasks.cycle.critic import HALVINGS, critic, scores
from dawn.tasks.cycle.generator import SCALE, generator
from dawn.tasks.cycle.settings import Cycle

INITIAL_STD = 0.02
LEAST = 32  # pixels


@dataclass(frozen=True)
class Networks:
    """``to_a`` and ``to_b`` translate images into a domain, ``critic_a`` and ``critic_b`` score images of one."""

    to_a: nn.Module
    to_b: nn.Module
    critic_a: nn.Module
    critic_b: nn.Module

    @property
    def module(self) -> nn.ModuleDict:
        """All networks as one module, the names of whose weights begin with those of the fields."""
        return nn.ModuleDict(dict(vars(self)))


def build(settings: Cycle, size: int, seed: int) -> Networks:
    """Return the networks for images of ``size`` pixels with the initial weights of ``seed``, N(0, 0.02) as published.

    torch's random state is left unchanged.
    """
    check_size(settings, size)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(number(64, seed, "initial weights"))
        nets = Networks(
            generator(settings.generator),
            generator(settings.generator),
            critic(settings.critic),
            critic(settings.critic),
        )
        for layer in nets.module.modules():
            if isinstance(layer, nn.Conv2d | nn.ConvTranspose2d) and layer.bias is not None:
                nn.init.normal_(layer.weight, 0.0, INITIAL_STD)
                nn.init.zeros_(layer.bias)
    return nets


def check_size(settings: Cycle, size: int) -> None:
    """Raise InputError for a size of images that the networks cannot take."""
    if size < LEAST or size % SCALE:
        raise InputError(
            f"the images have {size} pixels; a CycleGAN takes {LEAST} or more, divisible by {SCALE} (data.size)"
        )
    field = settings.critic.receptive_field
    if scores(size, field) < 1:
        fits = max(other for other in HALVINGS if scores(size, other) >= 1)
        raise InputError(
            f"cycle.critic.receptive_field = {field} has no patch in images of {size} pixels; {fits} is the largest"
        )
