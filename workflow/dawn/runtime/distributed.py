"""One experiment on any number of processes: joining them, sums over them, and data parallelism."""

import inspect
import os
import signal
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.algorithms.ddp_comm_hooks import default_hooks
from torch.nn.parallel import DistributedDataParallel

from dawn.config.sections import Run
from dawn.core.cli import InputError, describe, quoted
from dawn.core.host import allocated_gpus, end_with_parent, of_launcher
from dawn.runtime.batch_norm import convert
from dawn.runtime.heartbeat import Heartbeat, store_of_torchrun
from dawn.runtime.memory import keep_freed

DEFAULTS = Run()
MARGIN = 20  # seconds that a process leaves to whoever knows better why another one is lost


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
def joined(run: Run = DEFAULTS) -> Iterator[World]:
    """Join the processes that torchrun describes in the environment, if any, until the block ends.

    NCCL connects GPUs, gloo CPUs. On a CPU each process has OMP_NUM_THREADS threads, from dawn.launch or torchrun.
    Without a sign of one of them for ``run.timeout`` minutes the others end with 75.
    """
    size, local = of_launcher("WORLD_SIZE", alone=1), of_launcher("LOCAL_RANK")
    if size == 1 and (left := os.environ.get("WORLD_SIZE", "")) not in ("", "1"):
        raise InputError(
            f"WORLD_SIZE = {quoted(left)} in the environment, but torchrun did not start this process; "
            "start it with python -m dawn.launch or torchrun, or unset WORLD_SIZE"
        )
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", local) if cuda else torch.device("cpu")
    if cuda:
        use_gpu(device)
    else:
        refuse_cpu(run)
        keep_freed()
    if size == 1:
        yield World(0, 1, device)
        return
    end_with_parent(os.getppid(), signal.SIGTERM)  # torchrun, which may be killed
    rank, store = of_launcher("RANK"), store_of_torchrun(60 * run.timeout)
    heartbeat = Heartbeat(store, rank, size, 60 * run.timeout)
    heartbeat.start()
    with lost_connections_explained():
        limit = timedelta(minutes=run.timeout, seconds=MARGIN)
        store.set_timeout(limit)
        backend, gpu = ("nccl", device) if cuda else ("gloo", None)
        dist.init_process_group(backend, timeout=limit, world_size=size, rank=rank, store=store, device_id=gpu)
        yield World(rank, size, device)
        dist.destroy_process_group()  # not after an exception: NCCL would wait for processes that have not failed
    heartbeat.leave()


def refuse_cpu(run: Run) -> None:
    """Raise an InputError where a GPU was to be used: by ``run.require_gpu``, or since the scheduler gave one."""
    given = allocated_gpus() if run.gpus else None
    if run.require_gpu is False or (run.require_gpu == "auto" and given is None):
        return
    why = f"the scheduler gave this job a GPU ({given})" if given else "run.require_gpu is true"
    build = "" if torch.version.cuda else ", which is built without CUDA"
    raise InputError(
        f"{why}, but PyTorch{build} sees none: python -m dawn.doctor gpu finds out why; "
        "run.require_gpu: false uses the CPU, run.gpus: 0 requests no GPU"
    )


@contextmanager
def lost_connections_explained() -> Iterator[None]:
    """End with 75 where the connection to another process is lost.

    torchrun sees on its own machine why that one ended, says so, and ends this one meanwhile.
    """
    try:
        yield
    except RuntimeError as error:
        if not isinstance(error, dist.DistError) and "gloo" not in str(error):
            raise
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        time.sleep(MARGIN)
        print(f"dawn: lost the connection to another process ({describe(error)[:200]})", file=sys.stderr)
        sys.exit(os.EX_TEMPFAIL)


def sum_over_processes(values: Tensor, world: World) -> Tensor:
    """Return the sum of ``values`` over all processes, in each of them."""
    if world.size > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values


def mean_over_processes(values: Tensor, world: World) -> Tensor:
    """Return the mean of ``values`` over all processes, in each of them."""
    return sum_over_processes(values, world) / world.size if world.size > 1 else values


@torch.no_grad()
def copy_from_first(tensors: Iterable[Tensor], world: World) -> None:
    """Give the tensors of all processes the values that they have in the first, whose are the result."""
    for tensor in tensors if world.size > 1 else ():
        dist.broadcast(tensor, 0)


@torch.no_grad()
def average_gradients(parameters: Iterable[nn.Parameter], world: World) -> None:
    """Replace the gradients of all processes by their mean, exchanged as one tensor after the backward pass.

    DistributedDataParallel exchanges during it, but not for a network that a step runs several times.
    """
    gradients = [p.grad for p in parameters if p.grad is not None] if world.size > 1 else []
    if gradients:
        flat = torch.cat([gradient.flatten() for gradient in gradients])
        dist.all_reduce(flat)
        parts = torch.split(flat / world.size, [gradient.numel() for gradient in gradients])
        torch._foreach_copy_(gradients, [part.view_as(g) for part, g in zip(parts, gradients, strict=True)])


def gathered(values: Tensor, world: World) -> Tensor:
    """Return the parts (b, ...) of all processes, equally large, in their order, (size b, ...), in each of them."""
    if world.size == 1:
        return values
    parts = [torch.empty_like(values) for _ in range(world.size)]
    dist.all_gather(parts, values.contiguous())
    return torch.cat(parts)


def objects_of_all(value: Any, world: World) -> list[Any]:
    """Return the plain values of all processes, in their order, in each of them."""
    values = [value] * world.size
    if world.size > 1:
        dist.all_gather_object(values, value)
    return values


def use_gpu(device: torch.device) -> None:
    """Make ``device`` the GPU of this process, and fp32 on it IEEE single precision as on a CPU, never TF32.

    For tensor cores there are bf16 and fp16. Of torch's two sets of flags these are the older: torch 2.11 to 2.15 read
    them without a warning by either name, in torch.compile too, where a mix of both raises an error.
    """
    torch.cuda.set_device(device)
    torch.set_float32_matmul_precision("highest")
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cudnn.benchmark = True  # batches have one shape, so the search for the fastest kernel happens once


# What compresses a bucket of gradients for its exchange; without one it is exchanged in fp32.
COMPRESSION = {"fp16": default_hooks.fp16_compress_hook, "bf16": default_hooks.bf16_compress_hook}


def parallel(net: nn.Module, world: World, batch_norm: str, compress: str = "none") -> nn.Module:
    """Return the network with gradients averaged over all processes, and the statistics of batch norm if ``global``.

    The exchange of gradients runs in buckets during the backward pass, in fp16 or bf16 if ``compress`` names one.
    """
    if world.size == 1:
        return net
    if batch_norm == "global":
        net = convert(net, world.device)
    devices = [world.device.index] if world.device.type == "cuda" else None
    # Global statistics are equal in all processes, so buffers need no broadcast. torch 2.13 renamed the argument.
    names = inspect.signature(DistributedDataParallel.__init__).parameters
    broadcast = "forward_sync_buffers" if "forward_sync_buffers" in names else "broadcast_buffers"
    settings: dict[str, Any] = {broadcast: batch_norm == "local"}
    wrapped = DistributedDataParallel(net, devices, gradient_as_bucket_view=True, **settings)
    if compress in COMPRESSION:
        wrapped.register_comm_hook(None, COMPRESSION[compress])
    return wrapped
