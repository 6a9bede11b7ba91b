"""What a device says of the energy it has used: NVIDIA GPUs through NVML, CPUs through Linux's powercap (RAPL).

Both keep a counter that only grows, so a phase costs two readings and no sampling. Where neither can be read there is
no figure, and none is estimated. Imports no torch.
"""

import ctypes
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

POWERCAP = Path("/sys/class/powercap")
MOST_WATTS = 600.0  # no CPU package draws more, so a shorter phase than range / this holds one wrap-around at most


@dataclass(frozen=True)
class Counter:
    """One counter: how to read it, joules a count, and the count at which it starts anew (None: it never does)."""

    read: Callable[[], int]
    unit: float
    size: int | None = None

    def between(self, before: int, after: int, seconds: float) -> float | None:
        """Joules between two readings; None when the counter may have started anew more than once."""
        if self.size is None:
            return (after - before) * self.unit
        if seconds * MOST_WATTS > self.size * self.unit:
            return None
        return (after - before) % self.size * self.unit


@dataclass
class Meter:
    """Joules by phase over the counters of one device; without counters it says nothing."""

    source: str | None = None  # nvml: the GPU alone | rapl: packages and memory of the whole machine
    counters: Sequence[Counter] = ()
    joules: dict[str, float | None] = field(default_factory=dict)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add what is used during the block to the phase ``name``; None, and it stays so, where it cannot be told."""
        before, start = self._read(), time.monotonic()
        try:
            yield
        finally:
            if self.counters:
                used = self._used(before, time.monotonic() - start)
                so_far = self.joules.get(name, 0.0)
                self.joules[name] = None if used is None or so_far is None else so_far + used

    def _used(self, before: list[int] | None, seconds: float) -> float | None:
        after = self._read()
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


def rapl(root: Path = POWERCAP) -> Meter:
    """The CPU packages' counters and those of memory outside them; none where the kernel keeps them from this user.

    https://docs.kernel.org/power/powercap/powercap.html: energy_uj counts microjoules up to max_energy_range_uj. The
    zone psys is the whole platform, packages included, core and uncore are parts of a package, and intel-rapl-mmio
    shows a package a second time, so they are left out. AMD's packages go by the same name.
    """
    found = []
    for zone in sorted(root.glob("intel-rapl:*")):
        try:
            name = (zone / "name").read_text().strip()
            if name.startswith("package") or name == "dram":
                found.append(_zone(zone))
        except (OSError, ValueError):
            continue
    return Meter("rapl", found) if found else Meter()


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
            raise OSError(f"NVML does not tell the energy of {uuid}")
        return count.value

    try:
        read()
    except OSError:
        return Meter()
    return Meter("nvml", [Counter(read, 1e-3)])
