"""The energy that a device has used: NVIDIA GPUs through NVML, CPUs through Linux's powercap interface (RAPL).

Both keep a counter that only grows, so a phase costs two readings and no sampling. Where neither can be read there is
no figure, and none is estimated.
"""

import ctypes
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import torch

from dawn.core.host import of_launcher
from dawn.runtime.distributed import World

POWERCAP = Path("/sys/class/powercap")
MAX_WATTS = 600.0  # no CPU package draws more, so within less than range / this a counter wraps around at most once


@dataclass(frozen=True)
class Counter:
    """One counter: how to read it, joules per count, and the count at which it wraps to 0 (None: never)."""

    read: Callable[[], int]
    unit: float
    size: int | None = None

    def between(self, before: int, after: int, seconds: float) -> float | None:
        """Joules between two readings; None where the counter may have wrapped around more than once."""
        if self.size is None:
            return (after - before) * self.unit
        if seconds * MAX_WATTS > self.size * self.unit:
            return None
        return (after - before) % self.size * self.unit


@dataclass
class Meter:
    """Joules by phase, summed over the counters of one device; without counters there are none."""

    source: str | None = None  # nvml: the GPU alone | rapl: packages and memory of the whole machine
    counters: Sequence[Counter] = ()
    joules: dict[str, float | None] = field(default_factory=dict)
    _last: tuple[list[int] | None, float] = (None, 0.0)

    def charge(self, phase: str | None) -> None:
        """Add the energy used since the last call to ``phase``, to no phase where it is None.

        A phase during which a counter could not be read is None from then on.
        """
        readings, now = self._read(), time.monotonic()
        if phase is not None and self.counters:
            used = self._used(readings, now - self._last[1])
            so_far = self.joules.get(phase, 0.0)
            self.joules[phase] = None if used is None or so_far is None else so_far + used
        self._last = readings, now

    def _used(self, after: list[int] | None, seconds: float) -> float | None:
        before = self._last[0]
        if before is None or after is None:
            return None
        parts = [c.between(b, a, seconds) for c, b, a in zip(self.counters, before, after, strict=True)]
        known = [part for part in parts if part is not None]
        return sum(known) if len(known) == len(parts) else None

    def _read(self) -> list[int] | None:
        try:
            return [counter.read() for counter in self.counters]
        except (OSError, ValueError):  # a counter that was readable need not stay so
            return None


def for_device(world: World) -> Meter:
    """The meter of this process's device; of the processes on one machine's CPUs only the first has counters."""
    if world.device.type == "cuda":
        return nvml(f"GPU-{getattr(torch.cuda.get_device_properties(world.device), 'uuid', '')}")
    return rapl() if of_launcher("LOCAL_RANK") == 0 else Meter("rapl")


def rapl(root: Path = POWERCAP) -> Meter:
    """The counters of the CPU packages and of memory outside them; none where the kernel hides them from this user.

    https://docs.kernel.org/power/powercap/powercap.html: energy_uj counts microjoules up to max_energy_range_uj. The
    zone psys is the whole platform, packages included, core and uncore are parts of a package, and intel-rapl-mmio
    shows a package a second time, so they are left out. AMD's packages have the same names.
    """
    counters = []
    for zone in sorted(root.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text().strip()
            if name.startswith("package") or name == "dram":
                counters.append(_zone(zone))
        except (OSError, ValueError):
            continue
    return Meter("rapl", counters) if counters else Meter()


def _zone(zone: Path) -> Counter:
    def read() -> int:
        return int((zone / "energy_uj").read_text())

    read()
    return Counter(read, 1e-6, int((zone / "max_energy_range_uj").read_text()) + 1)


def nvml(uuid: str) -> Meter:
    """The counter of the GPU with this UUID (``GPU-...``), in millijoules since the driver was loaded.

    NVML is the driver's own library, so nothing need be installed. Cards before Volta do not count.
    """
    try:
        library = ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        return Meter()
    handle = ctypes.c_void_p()
    if library.nvmlInit_v2() or library.nvmlDeviceGetHandleByUUID(uuid.encode(), ctypes.byref(handle)):
        return Meter()

    def read() -> int:
        count = ctypes.c_ulonglong()
        if library.nvmlDeviceGetTotalEnergyConsumption(handle, ctypes.byref(count)):
            raise OSError(f"NVML does not report the energy of {uuid}")
        return count.value

    try:
        read()
    except OSError:
        return Meter()
    return Meter("nvml", [Counter(read, 1e-3)])
