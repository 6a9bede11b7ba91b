"""Build the network that the section ``model`` describes."""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dawn.config.model import Network
from dawn.models.airbench import airbench
from dawn.models.darknet import darknet
from dawn.models.torchvision_net import torchvision_net
from dawn.models.wide_resnet import wide_resnet

BUILDERS: dict[str, Callable[[Any, int], nn.Module]] = {
    "airbench": airbench,
    "darknet": darknet,
    "torchvision": torchvision_net,
    "wrn": wide_resnet,
}


def build(model: Network, classes: int, seed: int) -> nn.Module:
    """Return the network with the initial weights of ``seed``; torch's random state is left unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BUILDERS[model.family](model, classes)


def checksum(net: nn.Module) -> str:
    """Return the SHA-256 of the names, shapes and bytes of all weights and buffers, in their order."""
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
