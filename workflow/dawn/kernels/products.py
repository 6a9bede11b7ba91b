"""Convolutions in bfloat16 as matrix products, which oneDNN computes near the best rate of a CPU, for any sizes.

A 1x1 convolution is one. A 3x3 convolution of maps of 2 x 2 pixels is a product of whole maps by a matrix of 16 blocks,
one for each pair of an input and an output pixel, in place of 36 with the zeros of the padding. Others take patches.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from dawn.kernels.compiled import channels_last

WHOLE = 2  # pixels: the largest side of maps in which a 3x3 filter at any pixel reaches all others
LEAST = 24  # channels
LARGEST = 4  # pixels: the largest side of outputs for which these products are faster than oneDNN's convolutions


class Operation(torch.autograd.Function):
    """A convolution of k x k filters with padding k // 2: images (b, c_in, h, w), filters (c_out, c_in, k, k)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, stride: int) -> Tensor:
        """Return (b, c_out, h / stride, w / stride) in bfloat16."""
        x, taps = (channels_last(t, torch.bfloat16).permute(0, 2, 3, 1) for t in (x, weight))
        b, h, w, _ = x.shape
        whole = max(h, w) <= WHOLE and (len(taps[0]), stride) == (3, 1)
        ctx.layout = Whole(h, w) if whole else Patches(len(taps[0]), stride)
        matrix = ctx.layout.matrix(taps)
        ctx.save_for_backward(x, matrix)
        size = (b, len(taps), -(-h // stride), -(-w // stride))
        out = torch.empty(size, dtype=x.dtype, memory_format=torch.channels_last)  # no view, as a sum may overwrite it
        torch.mm(ctx.layout.rows(x), matrix.t(), out=out.permute(0, 2, 3, 1).view(-1, len(matrix)))
        return out

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, Tensor | None, None]:
        """Return the gradients of x, in bfloat16, and of weight, in float32."""
        x, matrix = ctx.saved_tensors
        dout = channels_last(gradients[0], torch.bfloat16).permute(0, 2, 3, 1)
        dx, dweight = None, None
        if ctx.needs_input_grad[0]:
            dx = ctx.layout.images(dout.reshape(-1, len(matrix)) @ matrix, x.shape).permute(0, 3, 1, 2)
        if ctx.needs_input_grad[1]:
            dweight = ctx.layout.gradient(dout, x).permute(0, 3, 1, 2)
        return dx, dweight, None


class Patches:
    """Rows are the k x k pixels that an output pixel needs, of images (b, h, w, c); the matrix is (c_out, k k c_in)."""

    def __init__(self, kernel: int, stride: int) -> None:
        self.kernel, self.stride = kernel, stride

    def windows(self, padded: Tensor) -> Tensor:
        """Return a view (b, h', w', k, k, c) of padded images."""
        kernel, stride = self.kernel, self.stride
        return padded.unfold(1, kernel, stride).unfold(2, kernel, stride).permute(0, 1, 2, 4, 5, 3)

    def rows(self, x: Tensor) -> Tensor:
        """Return the patches (b h' w', k k c)."""
        border = self.kernel // 2
        padded = functional.pad(x, (0, 0, border, border, border, border)) if border else x
        return self.windows(padded).reshape(-1, self.kernel**2 * x.shape[3])

    def images(self, rows: Tensor, shape: torch.Size) -> Tensor:
        """Return the sum of patches at their places: the gradient of ``rows``."""
        (b, h, w, c), border = shape, self.kernel // 2
        if self.kernel == self.stride == 1:
            return rows.view(shape)
        padded = rows.new_zeros(b, h + 2 * border, w + 2 * border, c)
        windows = self.windows(padded)
        patches = rows.view(windows.shape)
        for i in range(self.kernel):
            for j in range(self.kernel):
                windows[:, :, :, i, j] += patches[:, :, :, i, j]
        return padded[:, border : border + h, border : border + w]

    def matrix(self, taps: Tensor) -> Tensor:
        """Return filters (c_out, k, k, c_in) as a matrix."""
        return taps.flatten(1)

    def gradient(self, dout: Tensor, x: Tensor) -> Tensor:
        """Return the gradient of the filters (c_out, k, k, c_in), in float32; ``dout`` is (b, h', w', c_out)."""
        matrix = dout.flatten(0, 2).t() @ self.rows(x)
        return matrix.float().view(-1, self.kernel, self.kernel, x.shape[3])


class Whole:
    """Rows are images (b, h w c); the matrix (h w c_out, h w c_in) has the filters at every output pixel."""

    def __init__(self, h: int, w: int) -> None:
        self.h, self.w = h, w

    def rows(self, x: Tensor) -> Tensor:
        """Return images (b, h, w, c) as rows."""
        return x.flatten(1)

    def images(self, rows: Tensor, shape: torch.Size) -> Tensor:
        """Return the images of rows."""
        return rows.view(shape)

    def matrix(self, taps: Tensor) -> Tensor:
        """Return the matrix of filters (c_out, 3, 3, c_in): for each output pixel, the taps that are inside the map."""
        pixels = [(i, j) for i in range(self.h) for j in range(self.w)]
        parts = [taps[:, 1 - i : 1 - i + self.h, 1 - j : 1 - j + self.w] for i, j in pixels]
        return torch.stack(parts).flatten(2).flatten(0, 1)

    def gradient(self, dout: Tensor, x: Tensor) -> Tensor:
        """Return the gradient of the filters (c_out, 3, 3, c_in), in float32; ``dout`` is (b, h, w, c_out)."""
        taps = x.new_empty(dout.shape[3], 3, 3, x.shape[3], dtype=torch.float32)
        for i in range(3):
            for j in range(3):  # all pairs of pixels with this offset
                outs = dout[:, max(1 - i, 0) : self.h + min(1 - i, 0), max(1 - j, 0) : self.w + min(1 - j, 0)]
                ins = x[:, max(i - 1, 0) : self.h + min(i - 1, 0), max(j - 1, 0) : self.w + min(j - 1, 0)]
                taps[:, i, j] = outs.flatten(0, 2).t() @ ins.flatten(0, 2)
        return taps


def fits(layer: nn.Conv2d) -> bool:
    """Return whether ``Operation`` computes that of a layer, and its channels are enough for a matrix product."""
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    border = (kernel // 2, kernel // 2)
    return (
        (layer.kernel_size, layer.stride, layer.dilation) == ((kernel, kernel), (stride, stride), (1, 1))
        and kernel % 2 == 1
        and (layer.padding == border or (layer.padding == "same" and stride == 1))
        and (layer.padding_mode, layer.groups) == ("zeros", 1)
        and min(layer.in_channels, layer.out_channels) >= LEAST
    )


def faster(layer: nn.Conv2d, h: int, w: int) -> bool:
    """Return whether ``Operation`` is faster on images of h x w pixels than PyTorch and Winograd's algorithm."""
    kernel, stride = layer.kernel_size[0], layer.stride[0]
    return max(h, w) <= (WHOLE if kernel > stride == 1 else LARGEST * stride)
