"""Time and peak memory of work on a device, and the highest FLOP/s that the device reaches."""

import resource
import statistics
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch
from torch.nn import functional

from dawn.runtime.memory import give_back

WARM_UP = 3  # untimed calls first: memory is allocated, kernels are chosen


@dataclass(frozen=True)
class Measured:
    """Seconds of one call: median and quartiles over ``repeats``; bytes at the peak."""

    seconds: float
    low: float
    high: float
    repeats: int
    peak_memory_bytes: int

    def as_dict(self) -> dict[str, Any]:
        """Return the same as plain values."""
        return asdict(self)


def measure(work: Callable[[], object], device: torch.device, repeats: int, limit: float = 20.0) -> Measured:
    """Time ``work`` after a warm-up: ``repeats`` times, or for ``limit`` seconds, but at least three times.

    On a GPU the time is that between two CUDA events around the call, with an empty queue before it. The memory is what
    torch has allocated on a GPU, and the resident memory of this process on a CPU.
    """
    for _ in range(WARM_UP):
        work()
    reset_peak(device)
    seconds: list[float] = []
    start = time.perf_counter()
    while len(seconds) < repeats and (len(seconds) < 3 or time.perf_counter() - start < limit):
        seconds.append(on_gpu(work, device) if device.type == "cuda" else on_cpu(work))
    low, median, high = statistics.quantiles(seconds, n=4, method="inclusive")
    return Measured(median, low, high, len(seconds), peak(device))


def on_gpu(work: Callable[[], object], device: torch.device) -> float:
    """Return the seconds of one call by the GPU's clock."""
    first, last = (torch.cuda.Event(enable_timing=True) for _ in range(2))  # type: ignore[no-untyped-call]
    torch.cuda.synchronize(device)
    first.record()
    work()
    last.record()
    last.synchronize()
    return float(first.elapsed_time(last)) / 1000


def on_cpu(work: Callable[[], object]) -> float:
    """Return the seconds of one call."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def reset_peak(device: torch.device) -> None:
    """Reset the peak of memory to what is in use now, where the system can (Linux, CUDA)."""
    if device.type == "cuda":
        torch.cuda.reset_peak_memory_stats(device)
    else:
        give_back()
        with suppress(OSError):
            Path("/proc/self/clear_refs").write_text("5", encoding="ascii")


def peak(device: torch.device) -> int:
    """Return the most bytes in use since ``reset_peak``, or since the start where the peak cannot be reset."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    with suppress(OSError):
        for line in Path("/proc/self/status").read_text(encoding="utf-8").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def best_rate(device: torch.device, dtype: torch.dtype, limit: float = 2.0) -> tuple[float, str]:
    """Return the highest FLOP/s measured on this device, and with what: a large matrix product or convolution."""
    rates = {}
    for name, (flops, work) in large(device, dtype).items():
        work()
        start, best = time.perf_counter(), float("inf")
        while best == float("inf") or time.perf_counter() - start < limit / 2:
            best = min(best, on_gpu(work, device) if device.type == "cuda" else on_cpu(work))
        rates[name] = flops / best
    name = max(rates, key=lambda key: rates[key])
    return rates[name], name


@torch.no_grad()
def large(device: torch.device, dtype: torch.dtype) -> dict[str, tuple[float, Callable[[], object]]]:
    """Return large matrix products and convolutions by name: FLOPs (a multiply-add is two) and the call."""
    side, batch = (8192, 512) if device.type == "cuda" else (1024, 8)
    a, b = (torch.randn(side, side, device=device, dtype=dtype) for _ in range(2))
    images = torch.randn(batch, 128, 32, 32, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    filters = torch.randn(128, 128, 3, 3, device=device, dtype=dtype).contiguous(memory_format=torch.channels_last)
    return {
        f"matrix product of {side}": (2.0 * side**3, lambda: a @ b),
        f"3x3 convolution, 128 channels, {batch} images": (
            2.0 * batch * 32 * 32 * 128 * 128 * 9,
            lambda: functional.conv2d(images, filters, padding=1),
        ),
    }
