"""3x3 convolutions in bfloat16 by Winograd's algorithm, for CPUs with AVX-512 BF16 and without AMX.

Fewer products than the convolutions of oneDNN, whose rate is near the peak of such a CPU: 36 in place of 144 for 4 x 4
pixels (winograd.cpp). Rounding of the transforms to bfloat16 makes the errors about five times as large, 1.1 % of the
result, which is small compared with the noise of a batch.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor, nn

from dawn.models.kernels.compiled import library
from dawn.models.kernels.memory import channels_last, pointers

LEAST = 24  # channels, below which the transforms cost more than the products that they save
PLACES, COLUMNS = 36, 64  # of the transforms; of a block of packed filters


class Operation(torch.autograd.Function):
    """A convolution with padding 1: images (b, c_in, h, w) in bfloat16, filters (c_out, c_in, 3, 3) in float32."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor) -> Tensor:
        """Return (b, c_out, h, w)."""
        x, weight = channels_last(x, torch.bfloat16), channels_last(weight, torch.float32)
        ctx.save_for_backward(x, weight)
        return convolve(x, packed(weight, mirror=False), len(weight))

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None]:
        """Return the gradients of x and weight."""
        x, weight = ctx.saved_tensors
        dy = channels_last(gradients[0], torch.bfloat16)
        dx, dweight = None, None
        if ctx.needs_input_grad[0]:
            dx = convolve(dy, packed(weight, mirror=True), weight.shape[1])
        if ctx.needs_input_grad[1]:
            dweight = torch.empty_like(weight)
            library("winograd").gradient(shape(x, len(weight)), *pointers(x, dy, dweight))
        return dx, dweight


def packed(weight: Tensor, mirror: bool) -> Tensor:
    """Return the transformed filters as pairs of input channels; ``mirror``: those of the gradient of the input."""
    outputs, inputs = weight.shape[:2]
    rows, columns = (outputs, inputs) if mirror else (inputs, outputs)
    found = torch.empty(PLACES, -(-columns // COLUMNS), rows // 2, COLUMNS, 2, dtype=torch.bfloat16)
    sizes = (ctypes.c_int64 * 5)(0, 0, 0, inputs, outputs)
    library("winograd").pack(sizes, *pointers(weight), int(mirror), *pointers(found))
    return found


def convolve(x: Tensor, filters: Tensor, outputs: int) -> Tensor:
    """Return the convolution with packed filters, (b, outputs, h, w)."""
    y = torch.empty(len(x), outputs, *x.shape[2:], dtype=x.dtype, memory_format=torch.channels_last)
    library("winograd").convolve(shape(x, outputs), *pointers(x, filters, y))
    return y


def shape(x: Tensor, outputs: int) -> Any:
    """Return the sizes that winograd.cpp expects."""
    n, inputs, h, w = x.shape
    return (ctypes.c_int64 * 5)(n, h, w, inputs, outputs)


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Images (b, c_in, h, w), filters and bias in float32 to (b, c_out, h, w) in bfloat16."""
    y: Tensor = Operation.apply(x, weight)
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


class Convolution:
    """A convolution of a network in training."""

    def __init__(self, layer: nn.Conv2d) -> None:
        self.layer = layer

    def __call__(self, x: Tensor) -> Tensor:
        """(b, c_in, h, w) to (b, c_out, h, w)."""
        return convolution(x, self.layer.weight, self.layer.bias)


def convolution_of(layer: nn.Module) -> Convolution | None:
    """Return the convolution of a layer, or None if it is another one, or not faster this way."""
    return Convolution(layer) if type(layer) is nn.Conv2d and fits(layer) else None


def fits(layer: nn.Conv2d) -> bool:
    """Whether ``convolution`` computes that of a layer, and faster."""
    return (
        (layer.kernel_size, layer.stride, layer.dilation, layer.groups) == ((3, 3), (1, 1), (1, 1), 1)
        and layer.padding in ((1, 1), "same")
        and layer.padding_mode == "zeros"
        and min(layer.in_channels, layer.out_channels) >= LEAST
        and layer.in_channels % 8 == layer.out_channels % 8 == 0
    )
