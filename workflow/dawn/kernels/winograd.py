"""3x3 convolutions in bfloat16 by Winograd's algorithm, for CPUs with AVX-512 BF16 and without AMX.

Fewer products than the convolutions of oneDNN, whose rate is near the peak of such a CPU: 36 in place of 144 for 4 x 4
pixels (winograd.cpp). Rounding of the transforms to bfloat16 makes the errors about five times as large, 1.1 % of the
result, which is small compared with the noise of a batch.
"""

import ctypes
from typing import Any

import torch
from torch import Tensor, nn

from dawn.kernels.compiled import channels_last, library, pointers

LEAST = 24  # channels, below which the transforms cost more than the products that they save
PLACES, COLUMNS = 36, 64  # of the transforms; of a block of packed filters


class Operation(torch.autograd.Function):
    """A convolution with padding 1: images (b, c_in, h, w) in bfloat16, filters (c_out, c_in, 3, 3) in float32.

    ``pool``: and the maximum of each 2 x 2 pixels, without the output of the convolution in memory.
    """

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, pool: bool) -> Tensor:
        """Return (b, c_out, h, w), or half the height and width."""
        x, weight = channels_last(x, torch.bfloat16), channels_last(weight, torch.float32)
        n, inputs, h, w = x.shape
        size = (n, len(weight), h // 2, w // 2) if pool else (n, len(weight), h, w)
        out = torch.empty(size, dtype=x.dtype, memory_format=torch.channels_last)
        places = [torch.empty_like(out, dtype=torch.uint8)] if pool else []
        convolve = library("winograd").convolve_and_pool if pool else library("winograd").convolve
        filters = packed(weight, mirror=False)
        convolve(sizes(n, h, w, inputs, len(weight)), *pointers(x, filters, out, *places))
        ctx.save_for_backward(x, weight, *places)
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Return the gradients of x and weight."""
        x, weight, *places = ctx.saved_tensors
        n, inputs, h, w = x.shape
        dout = [channels_last(gradients[0], torch.bfloat16), *places]
        code = library("winograd")
        convolve, gradient = (code.convolve_pooled, code.gradient_pooled) if places else (code.convolve, code.gradient)
        dx, dweight = None, None
        if ctx.needs_input_grad[0]:
            dx, filters = torch.empty_like(x), packed(weight, mirror=True)
            convolve(sizes(n, h, w, len(weight), inputs), *pointers(*dout, filters, dx))
        if ctx.needs_input_grad[1]:
            dweight = torch.empty_like(weight)
            gradient(sizes(n, h, w, inputs, len(weight)), *pointers(x, *dout, dweight))
        return dx, dweight, None


def packed(weight: Tensor, mirror: bool) -> Tensor:
    """Return the transformed filters as pairs of input channels; ``mirror``: those of the gradient of the input."""
    outputs, inputs = weight.shape[:2]
    rows, columns = (outputs, inputs) if mirror else (inputs, outputs)
    packed = torch.empty(PLACES, -(-columns // COLUMNS), rows // 2, COLUMNS, 2, dtype=torch.bfloat16)
    library("winograd").pack(sizes(0, 0, 0, inputs, outputs), *pointers(weight), int(mirror), *pointers(packed))
    return packed


def sizes(images: int, height: int, width: int, inputs: int, outputs: int) -> Any:
    """Return the sizes that winograd.cpp expects."""
    return (ctypes.c_int64 * 5)(images, height, width, inputs, outputs)


def convolution(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
    """Images (b, c_in, h, w), filters and bias in float32 to (b, c_out, h, w) in bfloat16."""
    return with_bias(Operation.apply(x, weight, False), bias)


def with_bias(y: Tensor, bias: Tensor | None) -> Tensor:
    """Return images (b, c, h, w) plus a bias (c,), if there is one."""
    return y if bias is None else y + bias.to(y.dtype)[:, None, None]


def fits(layer: nn.Conv2d) -> bool:
    """Return whether ``convolution`` computes that of a layer, and faster, on maps that are not tiny."""
    return (
        (layer.kernel_size, layer.stride, layer.dilation, layer.groups) == ((3, 3), (1, 1), (1, 1), 1)
        and layer.padding in ((1, 1), "same")
        and layer.padding_mode == "zeros"
        and min(layer.in_channels, layer.out_channels) >= LEAST
        and layer.in_channels % 8 == layer.out_channels % 8 == 0
    )
