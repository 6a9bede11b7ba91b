"""Max pooling, batch norm and activation of a network in training as one operation on a CPU.

Separately they read and write an activation map about ten times, and max pooling keeps an index of eight bytes for each
of its pixels. Together they read it twice forward and twice backward (blocks.cpp). An activation without batch norm is
an operation of its own. The weights stay those of the network, which evaluations run layer by layer.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor, nn

from dawn.kernels.compiled import channels_last, library, pointers

ACTIVATIONS: dict[type[nn.Module], str] = {nn.ReLU: "Leaky", nn.LeakyReLU: "Leaky", nn.SiLU: "Silu", nn.GELU: "Gelu"}
Macros = tuple[str, ...]
NUMBERS = {torch.float32: "float", torch.bfloat16: "bfloat16"}


class Operation(torch.autograd.Function):
    """activation(batch_norm(pool(y))) in channels-last memory, with the mean and the variance of the batch."""

    @staticmethod
    def forward(ctx: Any, y: Tensor, weight: Tensor, bias: Tensor, eps: float, pool: bool, activation: Macros) -> Any:
        """(n, c, h, w) to (n, c, h, w), or to half the height and width; mean and variance (c,)."""
        y = channels_last(y, y.dtype)
        n, c, h, w = y.shape
        shape = (ctypes.c_int64 * 5)(n, h, w, c, pool)
        size = (n, c, h // 2, w // 2) if pool else (n, c, h, w)
        out = torch.empty(size, dtype=y.dtype, memory_format=torch.channels_last)
        z = torch.empty_like(out) if pool else y
        place = torch.empty_like(out, dtype=torch.int16) if pool else y.new_empty(0, dtype=torch.int16)
        mean, var = torch.empty_like(weight), torch.empty_like(weight)
        functions = compiled_for(y.dtype, activation)
        functions.forward(shape, *pointers(y, weight, bias), ctypes.c_float(eps), *pointers(z, place, mean, var, out))
        ctx.save_for_backward(z, place, weight, bias, mean, var)
        ctx.shape, ctx.eps, ctx.pool, ctx.functions, ctx.size = shape, eps, pool, functions, y.shape
        ctx.mark_non_differentiable(mean, var)
        return out, mean, var

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Any:
        """The gradients of y, weight and bias."""
        z, place, weight, bias, mean, var = ctx.saved_tensors
        dout = channels_last(gradients[0], z.dtype)
        dz, dweight, dbias = torch.empty_like(z), torch.empty_like(weight), torch.empty_like(bias)
        dy = torch.empty(ctx.size, dtype=z.dtype, memory_format=torch.channels_last) if ctx.pool else dz
        ctx.functions.backward(
            ctx.shape, *pointers(dout, z, place, weight, bias), ctypes.c_float(ctx.eps),
            *pointers(mean, var, dz, dy, dweight, dbias),
        )  # fmt: skip
        return dy, dweight, dbias, None, None, None


class Activate(torch.autograd.Function):
    """activation(x) in channels-last memory."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, activation: Macros) -> Tensor:
        """(n, c, h, w) to the same."""
        x = channels_last(x, x.dtype)
        out = torch.empty_like(x)
        ctx.functions = compiled_for(x.dtype, activation)
        ctx.functions.activate(ctypes.c_int64(x.numel()), *pointers(x, out))
        ctx.save_for_backward(x)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        """The gradient of x."""
        (x,) = ctx.saved_tensors
        dout, dx = channels_last(gradients[0], x.dtype), torch.empty_like(x)
        ctx.functions.activate_backward(ctypes.c_int64(x.numel()), *pointers(x, dout, dx))
        return dx, None


def compiled_for(dtype: torch.dtype, activation: Macros) -> ctypes.CDLL:
    """Return blocks.cpp, compiled for a number format and an activation."""
    return library("blocks", f"NUMBER={NUMBERS[dtype]}", *activation)


class Block:
    """A batch norm and an activation, with a max pooling before them or not, as one operation."""

    def __init__(self, pool: bool, norm: nn.BatchNorm2d, activation: Macros) -> None:
        self.pool, self.norm, self.activation = pool, norm, activation

    def __call__(self, y: Tensor) -> Any:
        """(n, c, h, w) to (n, c, h, w), or to half the height and width. Updates the statistics of the batch norm."""
        norm = self.norm
        out, mean, var = Operation.apply(y, norm.weight, norm.bias, norm.eps, self.pool, self.activation)
        count = out.numel() / out.shape[1]
        with torch.no_grad():
            for name, value in (("running_mean", mean), ("running_var", var * (count / (count - 1)))):
                norm.get_buffer(name).lerp_(value, norm.momentum or 0.0)
            norm.get_buffer("num_batches_tracked").add_(1)
        return out


class Activation:
    """An activation alone."""

    def __init__(self, activation: Macros) -> None:
        self.activation = activation

    def __call__(self, x: Tensor) -> Any:
        """(n, c, h, w) to the same."""
        return Activate.apply(x, self.activation)


def block_of(pool: bool, norm: nn.Module | None = None, activation: nn.Module | None = None) -> Block | None:
    """Return the block of these layers, or None if it does not compute them."""
    macros = macros_of(activation)
    if macros is None or type(norm) is not nn.BatchNorm2d:
        return None
    fits = norm.affine and norm.track_running_stats and norm.momentum is not None
    return Block(pool, norm, macros) if fits else None


def macros_of(activation: nn.Module | None) -> Macros | None:
    """Return the macros with which blocks.cpp computes an activation, or None if it has none."""
    name = ACTIVATIONS.get(type(activation)) if activation else None
    if name is None or getattr(activation, "approximate", "none") != "none":
        return None
    return f"ACTIVATION={name}", f"SLOPE={float(getattr(activation, 'negative_slope', 0))}f"


def activation_of(layer: nn.Module) -> Activation | None:
    """Return the activation of a layer, or None if it is another layer."""
    macros = macros_of(layer)
    return Activation(macros) if macros else None


def is_pool(layer: nn.Module) -> bool:
    """Return whether a layer is the maximum of each 2 x 2 pixels."""
    return (
        isinstance(layer, nn.MaxPool2d)
        and all(value in (2, (2, 2)) for value in (layer.kernel_size, layer.stride))
        and (layer.padding, layer.dilation, layer.ceil_mode, layer.return_indices) == (0, 1, False, False)
    )
