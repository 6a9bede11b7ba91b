"""One experiment over any number of processes: who this process is, and batch statistics that span them all."""

import inspect
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.nn.parallel import DistributedDataParallel

from dawn.core.host import cores
from dawn.runtime.memory import keep_freed


@dataclass(frozen=True)
class World:
    """This process among ``size``; ``rank`` 0 writes the files."""

    rank: int
    size: int
    device: torch.device

    @property
    def first(self) -> bool:
        """Whether this is the process that writes."""
        return self.rank == 0


@contextmanager
def joined() -> Iterator[World]:
    """The world that torchrun described in the environment, or a world of one; left when the block ends.

    NCCL joins GPUs, gloo CPUs. On the CPU each process takes its share of the cores.
    """
    size, local = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        torch.cuda.set_device(device)
        torch.backends.cudnn.benchmark = True  # every batch has one shape, so the search for a kernel pays once
    else:
        keep_freed()
    if size == 1:
        yield World(0, 1, device)
        return
    if not cuda:
        torch.set_num_threads(max(1, cores() // int(os.environ.get("LOCAL_WORLD_SIZE", size))))
    dist.init_process_group("nccl" if cuda else "gloo", device_id=device if cuda else None)
    try:
        yield World(dist.get_rank(), size, device)
    finally:
        dist.destroy_process_group()


# What a bucket of gradients is halved to on its way; none leaves torch's own exchange as it is.
HALVED = {"fp16": default_hooks.fp16_compress_hook, "bf16": default_hooks.bf16_compress_hook}


def parallel(net: nn.Module, world: World, batch_norm: str, compress: str = "none") -> nn.Module:
    """The network with its gradients averaged over the world; batch norm over it too, if ``global``.

    The exchange runs bucket by bucket while the backward pass goes on; ``compress`` sends fp16 or bf16 instead.
    """
    if world.size == 1:
        return net
    if batch_norm == "global":
        share_statistics(net, world)
    devices = [world.device.index] if world.device.type == "cuda" else None
    # torch 2.15 renames the switch of the exchange of buffers, which shared statistics make needless.
    names = inspect.signature(DistributedDataParallel.__init__).parameters
    switch = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    choice: dict[str, Any] = {switch: batch_norm == "local"}
    shared = DistributedDataParallel(net, devices, gradient_as_bucket_view=True, **choice)
    if compress in HALVED:
        shared.register_comm_hook(None, HALVED[compress])
    return shared


def share_statistics(net: nn.Module, world: World) -> None:
    """Make every batch norm in ``net`` take its statistics over the world: torch's own on GPUs, ours on CPUs."""
    for name, child in net.named_children():
        if not isinstance(child, nn.BatchNorm2d):
            share_statistics(child, world)
        elif world.device.type == "cuda":
            net.set_submodule(name, nn.SyncBatchNorm.convert_sync_batchnorm(child))  # type: ignore[no-untyped-call]
        else:
            child.__class__ = GlobalBatchNorm


class GlobalBatchNorm(nn.BatchNorm2d):
    """Batch norm whose mean and variance are those of the batch over all processes (torch has it on GPUs alone)."""

    def forward(self, x: Tensor) -> Tensor:
        """(b, c, h, w) normalised, by the running statistics when not training."""
        if not self.training:
            return super().forward(x)
        count = x.numel() // x.shape[1] * dist.get_world_size()
        mean = Sum.apply(x.sum((0, 2, 3))) / count
        centred = x - mean[:, None, None]
        variance = Sum.apply(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            assert self.running_mean is not None
            assert self.running_var is not None
            self.running_mean.lerp_(mean, self.momentum or 0.0)
            self.running_var.lerp_(variance * (count / (count - 1)), self.momentum or 0.0)
        scale = self.weight * torch.rsqrt(variance + self.eps)
        return torch.addcmul(self.bias[:, None, None], centred, scale[:, None, None])


class Sum(torch.autograd.Function):
    """The sum over all processes; its gradient is the sum of theirs."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """x summed over the world."""
        total = x.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *grads: Tensor) -> Tensor:
        """The gradient summed over the world."""
        total = grads[0].clone()
        dist.all_reduce(total)
        return total
