"""A network in training whose layers are computed by custom kernels where these fit."""

from typing import Any

import torch
from torch import Tensor, nn

from dawn.kernels.blocks import activation_of, block_of, compiled_for, is_pool
from dawn.kernels.compiled import Unavailable, library
from dawn.kernels.winograd import convolution_of

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


class CustomKernels(nn.Module):
    """A sequential network in training. Its weights are those of ``net``, which evaluations run as it is."""

    def __init__(self, net: nn.Sequential, convolutions: bool) -> None:
        super().__init__()
        self.parts = parts(list(net), convolutions)

    def forward(self, x: Tensor) -> Tensor:
        """Return what the network returns, up to rounding."""
        for part in self.parts:
            x = part(x)
        return x


def parts(layers: list[nn.Module], convolutions: bool) -> list[Any]:
    """Return the layers, with a kernel in place of those that it computes."""
    replaced: list[Any] = []
    while layers:
        kernel, count = kernel_of(layers, convolutions)
        replaced.append(kernel or layers[0])
        layers = layers[count:]
    return replaced


def kernel_of(layers: list[nn.Module], convolutions: bool) -> tuple[Any, int]:
    """Return the kernel that computes the first layers, or None, and how many layers that are."""
    pool = is_pool(layers[0])
    if block := block_of(pool, *layers[pool : pool + 2]):
        return block, pool + 2
    if convolutions and len(layers) > 1 and is_pool(layers[1]) and (pooled := convolution_of(layers[0], pool=True)):
        return pooled, 2
    return (convolution_of(layers[0]) if convolutions else None) or activation_of(layers[0]), 1


def with_kernels(net: nn.Module, precision: str) -> CustomKernels:
    """Return the network for training in a precision, compiled. Raise Unavailable where no kernel fits or compiles."""
    if precision not in PRECISIONS:
        raise Unavailable("they need train.precision fp32 or bf16")
    if not isinstance(net, nn.Sequential):
        raise Unavailable("the network is no plain sequence of layers")
    replaced = CustomKernels(net, precision == "bf16" and can_convolve())
    kernels = [part for part in replaced.parts if not isinstance(part, nn.Module)]
    if not kernels:
        raise Unavailable("the network has no relu, silu or gelu, and no large 3x3 convolution")
    for kernel in kernels:
        if hasattr(kernel, "activation"):
            compiled_for(PRECISIONS[precision], kernel.activation)
    return replaced


def can_convolve() -> bool:
    """Return whether this CPU has the instructions of winograd.cpp, and oneDNN has none that are faster."""
    try:
        library("winograd")
    except Unavailable:
        return False
    return True
