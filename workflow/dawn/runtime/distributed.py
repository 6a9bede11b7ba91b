"""One experiment over any number of processes: which of them this is, and the exchange of their gradients."""

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

from dawn.runtime.batch_norm import convert
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

    NCCL joins GPUs, gloo CPUs, where each process has OMP_NUM_THREADS threads (dawn.launch, or torchrun's 1).
    """
    size, local = int(os.environ.get("WORLD_SIZE", 1)), int(os.environ.get("LOCAL_RANK", 0))
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        use_gpu(device)
    else:
        keep_freed()
    if size == 1:
        yield World(0, 1, device)
        return
    dist.init_process_group("nccl" if cuda else "gloo", device_id=device if cuda else None)
    yield World(dist.get_rank(), size, device)
    dist.destroy_process_group()  # not after an exception: NCCL would wait for processes that have not failed


def sum_over_processes(values: Tensor, world: World) -> Tensor:
    """Return the sum of ``values`` over all processes, in each of them."""
    if world.size > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values


def use_gpu(device: torch.device) -> None:
    """Make ``device`` this process's GPU; fp32 on it is IEEE single precision, as on a CPU, never TF32.

    The older of torch's two ways to say so, since torch 2.11 and 2.15 read it back without a warning by either
    name, torch.compile too; whoever wants tensor cores chooses bf16 or fp16.
    """
    torch.cuda.set_device(device)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # every batch has one shape, so the search for a kernel pays once


# What a bucket of gradients is halved to on its way; none leaves torch's own exchange as it is.
HALVED = {"fp16": default_hooks.fp16_compress_hook, "bf16": default_hooks.bf16_compress_hook}


def parallel(net: nn.Module, world: World, batch_norm: str, compress: str = "none") -> nn.Module:
    """The network with its gradients averaged over the world; batch norm over it too, if ``global``.

    The exchange runs bucket by bucket while the backward pass goes on; ``compress`` sends fp16 or bf16 instead.
    """
    if world.size == 1:
        return net
    if batch_norm == "global":
        net = convert(net, world.device)
    devices = [world.device.index] if world.device.type == "cuda" else None
    # torch 2.15 renames the switch of the exchange of buffers, which shared statistics make needless.
    names = inspect.signature(DistributedDataParallel.__init__).parameters
    switch = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    choice: dict[str, Any] = {switch: batch_norm == "local"}
    shared = DistributedDataParallel(net, devices, gradient_as_bucket_view=True, **choice)
    if compress in HALVED:
        shared.register_comm_hook(None, HALVED[compress])
    return shared
