"""Where the time of a training step goes, compared with what its arithmetic and memory traffic take at least."""

import re
import time
from collections import defaultdict
from pathlib import Path
from typing import Any

import torch
from torch.autograd import DeviceType
from torch.profiler import ProfilerActivity, profile
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import FlopCounterMode

from dawn.config.experiment import Experiment, check, merge
from dawn.engine.trainer import Trainer
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.train import set_up

STEPS = 10
SLOW = Scheduled(lr=1e-9, momentum=0.85, stem_lr=1e-9)
KINDS = [  # the first that fits an operator's name
    ("convolution", "conv"),
    ("batch norm", "batch_norm"),
    ("pooling", "pool"),
    ("matrix product", r"(^|_)(mm|bmm|addmm|matmul|baddbmm|linear)"),
    ("optimiser", "_foreach|_fused"),
    ("index, copy, pad", "copy|clone|index|cat|pad|gather|contiguous|fill|zero|empty"),
]


def kind(name: str) -> str:
    """Return the kind of work of an operator such as ``aten::cudnn_convolution``; the rest is element by element."""
    plain = name.removeprefix("aten::").removeprefix("aten.")
    return next((kind for kind, pattern in KINDS if re.search(pattern, plain)), "element by element")


class Traffic(TorchDispatchMode):
    """Counts the bytes that each operator reads and writes if nothing is fused: its tensors in and out."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes: dict[str, int] = defaultdict(int)

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        if not (func.is_view or "empty" in func.name()):
            for leaf in tree_leaves((args, kwargs, out)):
                if isinstance(leaf, torch.Tensor):
                    self.bytes[kind(func.name())] += leaf.numel() * leaf.element_size()
        return out


def counted(trainer: Trainer, batches: list[Any]) -> tuple[dict[str, int], dict[str, int]]:
    """Return FLOPs and bytes of one step by kind of work."""
    with FlopCounterMode(display=False) as counter:
        trainer.task.state.step(batches[0], SLOW)
    flops: dict[str, int] = defaultdict(int)
    for operator, n in counter.flop_counts["Global"].items():
        flops[kind(str(operator))] += n
    with Traffic() as traffic:
        trainer.task.state.step(batches[0], SLOW)
    return flops, traffic.bytes


def profile_steps(trainer: Trainer, batches: list[Any], world: World) -> tuple[Any, float]:
    """Return the profiler's averages over STEPS steps, and the seconds of a step without a profiler."""

    def steps() -> None:
        for i in range(STEPS):
            trainer.task.state.step(batches[i % len(batches)], SLOW)
        if world.device.type == "cuda":
            torch.cuda.synchronize()

    steps()
    start = time.perf_counter()
    steps()
    seconds = (time.perf_counter() - start) / STEPS
    cuda = [ProfilerActivity.CUDA] if world.device.type == "cuda" else []
    with profile(activities=[ProfilerActivity.CPU, *cuda]) as found:
        steps()
    return found.key_averages(), seconds


def used(event: Any, world: World) -> float:
    """Return the milliseconds in a step during which an event itself kept the device busy."""
    micro = event.self_device_time_total if world.device.type == "cuda" else event.self_cpu_time_total
    return float(micro) / 1000 / STEPS


def profiled(experiment: Experiment, data: Path, world: World, ceiling: dict[str, float]) -> dict[str, Any]:
    """Return the step by kind of work, not compiled so that operators are apart, and the kernels of a raced step."""

    def prepared(settings: Experiment) -> tuple[Trainer, list[Any]]:
        clock = Clock(world.device)
        trainer = set_up(settings, data, data / "stats.json", 0, None, world, clock)
        epoch = trainer.task.trainset.epoch(0, world, 1)
        return trainer, [parts for parts, _ in zip(epoch, range(STEPS), strict=False)]

    plain = {"compile": False, "cuda_graph": False}
    trainer, batches = prepared(check(merge(experiment.model_dump(mode="json"), {"train": plain})))
    flops, traffic = counted(trainer, batches)
    events, eager_seconds = profile_steps(trainer, batches, world)
    spent: dict[str, float] = defaultdict(float)
    for event in events:
        if event.device_type == DeviceType.CPU and event.key.startswith("aten::"):
            spent[kind(event.key)] += used(event, world)
    work = {
        name: {
            "ms": ms, "gflop": flops.get(name, 0) / 1e9, "gbyte": traffic.get(name, 0) / 1e9,
            "ms_arithmetic": 1000 * flops.get(name, 0) / ceiling["flops"],
            "ms_memory": 1000 * traffic.get(name, 0) / ceiling["bytes_per_s"],
        }
        for name, ms in sorted(spent.items(), key=lambda item: -item[1])
    }  # fmt: skip
    del trainer, batches
    trainer, batches = prepared(experiment)
    events, seconds = profile_steps(trainer, batches, world)
    side = DeviceType.CUDA if world.device.type == "cuda" else DeviceType.CPU
    kernels = sorted(((used(e, world), e.key) for e in events if e.device_type == side), reverse=True)
    return {
        "batch": experiment.train.batch, "ceiling": dict(ceiling), "work": work,
        "eager_ms": 1000 * eager_seconds, "ms": 1000 * seconds, "busy_ms": sum(ms for ms, _ in kernels),
        "kernels": [{"ms": ms, "name": name} for ms, name in kernels[:15]],
    }  # fmt: skip
