"""A network in training whose layers are computed by custom kernels where these fit."""

import copy
from typing import Any

import torch
from torch import Tensor, nn

from dawn.kernels.blocks import activation_of, block_of, compiled_for, is_pool
from dawn.kernels.compiled import Unavailable, library
from dawn.kernels.convolutions import convolution_of

PRECISIONS = {"fp32": torch.float32, "bf16": torch.bfloat16}


class Sequence:
    """The layers of an nn.Sequential, with a kernel in place of those that it computes."""

    def __init__(self, parts: list[Any]) -> None:
        self.parts = parts

    def __call__(self, x: Tensor) -> Tensor:
        """Return what the layers return, up to rounding."""
        for part in self.parts:
            x = part(x)
        return x


class Replacement:
    """Replaces layers by kernels, in copies of modules that share the weights; ``kernels`` are all those made.

    A module that is neither a sequence nor computed by a kernel, such as a residual block, keeps its forward pass.
    """

    def __init__(self, convolutions: bool) -> None:
        self.convolutions = convolutions
        self.kernels: list[Any] = []

    def of(self, module: nn.Module) -> nn.Module:
        """Return a copy of a module in training."""
        twin = copy.copy(module)
        if type(module).forward is nn.Sequential.forward:
            twin.__dict__["forward"] = self.sequence(list(module.children()))
        elif kernel := self.first([module])[0]:
            twin.__dict__["forward"] = kernel
        else:
            twin._modules = {name: child and self.of(child) for name, child in module._modules.items()}
        return twin

    def sequence(self, layers: list[nn.Module]) -> Sequence:
        """Return the sequence of these layers."""
        parts: list[Any] = []
        while layers:
            kernel, count = self.first(layers)
            parts.append(kernel or self.of(layers[0]))
            layers = layers[count:]
        return Sequence(parts)

    def first(self, layers: list[nn.Module]) -> tuple[Any, int]:
        """Return the kernel that computes the first layers, or None, and how many layers that are."""
        kernel, count = kernel_of(layers, self.convolutions)
        if kernel is not None:
            self.kernels.append(kernel)
        return kernel, count


def kernel_of(layers: list[nn.Module], convolutions: bool) -> tuple[Any, int]:
    """Return the kernel that computes the first layers, or None, and how many layers that are."""
    pool = is_pool(layers[0])
    if block := block_of(pool, *layers[pool : pool + 2]):
        return block, pool + 2
    if convolutions and len(layers) > 1 and is_pool(layers[1]) and (pooled := convolution_of(layers[0], pool=True)):
        return pooled, 2
    return (convolution_of(layers[0]) if convolutions else None) or activation_of(layers[0]), 1


def with_kernels(net: nn.Module, precision: str) -> nn.Module:
    """Return a copy of a network for training in a precision, with the same weights and kernels, compiled.

    Evaluations run the network itself. Raise Unavailable where no kernel fits or compiles.
    """
    if precision not in PRECISIONS:
        raise Unavailable("they need train.precision fp32 or bf16")
    replacement = Replacement(precision == "bf16" and can_convolve())
    replaced = replacement.of(net)
    if not replacement.kernels:
        raise Unavailable("the network has no activation that they compute, and no large convolution")
    for kernel in replacement.kernels:
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
