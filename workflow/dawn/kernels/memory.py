"""Tensors as the C++ functions take them."""

import ctypes

import torch
from torch import Tensor


def channels_last(x: Tensor, dtype: torch.dtype) -> Tensor:
    """Return images in this number format with their channels last in memory; the same tensor if it is so already."""
    return x.to(dtype).contiguous(memory_format=torch.channels_last if x.ndim == 4 else torch.contiguous_format)


def pointers(*tensors: Tensor) -> list[ctypes.c_void_p]:
    """Return the addresses of tensors."""
    return [ctypes.c_void_p(tensor.data_ptr()) for tensor in tensors]
