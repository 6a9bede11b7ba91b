"""CUDA without a card: fake tensors on a fake ``cuda`` device, which have shapes, dtypes and devices but no values.

An operation whose operands lie on different devices, or whose dtypes do not fit, fails as it does on a GPU. Backward
passes need a real device, and a value such as ``float(loss)`` does not exist.
"""

from contextlib import contextmanager
from unittest import mock

import torch
from torch import from_numpy, nn
from torch._subclasses.fake_tensor import FakeTensorMode, unset_fake_temporarily

from dawn.data.dataset import Split
from dawn.runtime.distributed import World
from dawn.tasks.classify.networks.build import build

GPU = torch.device("cuda", 0)
WORLD = World(0, 1, GPU)


def fake(tensor):
    return torch.empty_strided(tensor.shape, tensor.stride(), dtype=tensor.dtype, device=GPU)


def fake_build(model, classes, seed):
    with unset_fake_temporarily():
        net = build(model, classes, seed)
    for module in net.modules():
        for name, p in module._parameters.items():
            module._parameters[name] = None if p is None else nn.Parameter(fake(p), p.requires_grad)
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else fake(buffer)
    return net


def convert(module, function, recurse=True):
    """``nn.Module._apply``, which swaps fake parameters and fails where an optimizer refers to them."""
    for child in module.children():
        convert(child, function)
    with torch.no_grad():
        for p in module._parameters.values():
            if p is not None:
                p.data = function(p)
        for name, buffer in module._buffers.items():
            module._buffers[name] = None if buffer is None else function(buffer)
    return module


def split(images=64):
    channel = torch.ones(3, device=GPU)
    return Split(
        torch.zeros(images, 32, 32, 3, dtype=torch.uint8, device=GPU),
        torch.zeros(images, dtype=torch.int64, device=GPU), channel, channel,
    )  # fmt: skip


def fake_from_numpy(array):
    with unset_fake_temporarily():
        real = from_numpy(array)
    return torch.empty(real.shape, dtype=real.dtype)


def fused_sgd(weights, gradients, velocities, **settings):
    """The conditions of ``torch._fused_sgd_``, which has no fake form."""
    for tensors in zip(weights, gradients, velocities or weights, strict=True):
        assert {(t.device, t.dtype, t.shape) for t in tensors} == {(GPU, torch.float32, tensors[0].shape)}


@contextmanager
def fake_cuda():
    """A world of one fake GPU with autocast to fp16 and bf16."""
    with (
        mock.patch("torch.cuda.amp.common.amp_definitely_not_available", lambda: False),
        mock.patch("torch.cuda.is_bf16_supported", lambda *_: True),
        mock.patch("torch._fused_sgd_", fused_sgd),
        mock.patch("dawn.tasks.classify.train.build", fake_build),
        mock.patch("torch.from_numpy", fake_from_numpy),
        mock.patch.object(nn.Module, "_apply", convert),
        mock.patch.object(FakeTensorMode, "__deepcopy__", lambda mode, memo: mode, create=True),
        FakeTensorMode(),
    ):
        yield
