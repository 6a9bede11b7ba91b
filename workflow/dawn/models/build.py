"""Build the network that the section ``model`` describes."""

import hashlib
from collections.abc import Callable
from typing import Any

import torch
from torch import nn

from dawn.config.model import Network
from dawn.core.cli import InputError, describe
from dawn.models.airbench import airbench
from dawn.models.darknet import darknet
from dawn.models.file_net import file_net
from dawn.models.torchvision_net import torchvision_net
from dawn.models.wide_resnet import wide_resnet

BUILDERS: dict[str, Callable[[Any, int], nn.Module]] = {
    "airbench": airbench,
    "darknet": darknet,
    "file": file_net,
    "torchvision": torchvision_net,
    "wrn": wide_resnet,
}


def build(model: Network, classes: int, seed: int) -> nn.Module:
    """Return the network with the initial weights of ``seed``; torch's random state is left unchanged."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return BUILDERS[model.family](model, classes)


def check_output(net: nn.Module, classes: int, size: int) -> None:
    """Raise InputError unless the network turns images of ``size`` pixels into logits of ``classes`` classes."""
    device, was_training = next(net.parameters()).device, net.training
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            logits = net.eval()(torch.zeros(2, 3, size, size, device=device))
    except Exception as error:  # a network raises whatever its layers do
        raise InputError(f"model: the network fails on images of {size} x {size} pixels: {describe(error)}") from error
    finally:
        net.train(was_training)
    if not isinstance(logits, torch.Tensor) or logits.shape != (2, classes) or not logits.is_floating_point():
        found = f"{logits.dtype} {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise InputError(
            f"model: the network turns 2 images of {size} x {size} pixels into {found}; "
            f"logits (2, {classes}) are needed"
        )


def checksum(net: nn.Module) -> str:
    """Return the SHA-256 of the names, shapes and bytes of all weights and buffers, in their order."""
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
