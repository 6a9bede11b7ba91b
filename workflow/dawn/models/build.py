"""From the model section to a network."""

import hashlib

import torch
from torch import nn

from dawn.config.networks import Airbench, Darknet, Model, WideResNet
from dawn.models.airbench import airbench
from dawn.models.darknet import darknet
from dawn.models.torchvision_net import torchvision_net
from dawn.models.wide_resnet import wide_resnet


def build(model: Model, classes: int, seed: int) -> nn.Module:
    """The network with the initial weights of ``seed``; the caller's random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if isinstance(model, Darknet):
            return darknet(model, classes)
        if isinstance(model, WideResNet):
            return wide_resnet(model, classes)
        if isinstance(model, Airbench):
            return airbench(model, classes)
        return torchvision_net(model, classes)


def checksum(net: nn.Module) -> str:
    """SHA-256 over the names, shapes and bytes of all weights and buffers, in their order."""
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
