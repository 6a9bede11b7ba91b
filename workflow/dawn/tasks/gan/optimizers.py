"""The optimizers of generator and critic."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from dawn.tasks.gan.settings import GanOptimizer


def make(settings: GanOptimizer, net: nn.Module, lr: float) -> torch.optim.Optimizer:
    """Return the optimizer of all parameters of a network: torch's RMSprop or Adam."""
    if settings.kind == "rmsprop":
        return torch.optim.RMSprop(net.parameters(), lr, foreach=True)
    return torch.optim.Adam(net.parameters(), lr, settings.betas, fused=True)


def set_learning_rate(optimizer: torch.optim.Optimizer, lr: float) -> None:
    """Set the learning rate of all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = lr


def states(optimizers: Sequence[torch.optim.Optimizer]) -> list[dict[str, Any]]:
    """Return the states of the optimizers, for a checkpoint."""
    return [optimizer.state_dict() for optimizer in optimizers]
