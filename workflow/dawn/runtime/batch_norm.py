"""Batch norm whose statistics are those of the batch over all processes, on CPUs (torch has it for GPUs alone)."""

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


def convert(module: nn.Module, device: torch.device, twice: bool = False) -> nn.Module:
    """The module with every batch norm in it replaced by a global one: torch's own on a GPU, ours on a CPU.

    Parameters and buffers are kept, not copied, so an optimizer may hold them already. ``twice``: gradients of
    gradients are needed, as in gradient penalties, which torch's own does not have; ours is then used on a GPU too.
    """
    if device.type == "cuda" and not twice:
        converted: nn.Module = nn.SyncBatchNorm.convert_sync_batchnorm(module)  # type: ignore[no-untyped-call]
        return converted
    if isinstance(module, _BatchNorm):
        return GlobalBatchNorm.of(module)
    for name, child in module.named_children():
        module.add_module(name, convert(child, device, twice))
    return module


class GlobalBatchNorm(_BatchNorm):
    """Batch norm over (b, c, ...) whose mean and variance are those of the global batch.

    Statistics are computed and kept in fp32, or in fp64 for fp64 input; the output has the input's dtype, as with
    torch's batch norm under autocast.
    """

    @classmethod
    def of(cls, norm: _BatchNorm) -> "GlobalBatchNorm":
        """A global batch norm with the settings, parameters and buffers of ``norm``."""
        new = cls(norm.num_features, norm.eps, norm.momentum, norm.affine, norm.track_running_stats)
        for name, parameter in norm.named_parameters(recurse=False):
            new.register_parameter(name, parameter)
        for name, buffer in norm.named_buffers(recurse=False):
            new.register_buffer(name, buffer)
        return new.train(norm.training)

    def _check_input_dim(self, input: Tensor) -> None:
        if input.dim() < 2:
            raise ValueError(f"batch norm takes (b, c, ...), not {tuple(input.shape)}")

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, ...) normalised; by the running statistics when not training. Every process has b images."""
        if not self.training:
            return super().forward(x)
        self._check_input_dim(x)
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        over = [0, *range(2, x.dim())]
        shape = (-1, *[1] * (x.dim() - 2))
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = Sum.apply(values.sum(over)) / count
        centred = values - mean.view(shape)
        variance = Sum.apply(centred.square().sum(over)) / count
        self._track(mean, variance * (count / (count - 1)))
        scale = torch.rsqrt(variance + self.eps)
        if self.affine:
            normalised = torch.addcmul(self.bias.view(shape), centred, (self.weight * scale).view(shape))
        else:
            normalised = centred * scale.view(shape)
        return normalised.to(x.dtype)

    @torch.no_grad()
    def _track(self, mean: Tensor, variance: Tensor) -> None:
        """Move the running statistics towards those of a batch: by ``momentum``, or to the mean of all batches."""
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        weight = self.momentum if self.momentum is not None else 1.0 / float(self.num_batches_tracked)
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), weight)
        self.running_var.lerp_(variance.to(self.running_var.dtype), weight)


class Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs, and so is the gradient of that."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """x summed over the world."""
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """The gradient summed over the world."""
        total: Tensor = Sum.apply(grads[0])
        return total
