"""A clock of phases that waits for the device."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from dawn.monitoring.energy import Meter


@dataclass
class Clock:
    """Seconds by phase, the device's queue emptied at both ends of each."""

    device: torch.device
    seconds: dict[str, float] = field(default_factory=dict)
    meter: Meter = field(default_factory=Meter)

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to the phase ``name``, also when the block raises, and the energy beside it."""
        with self.meter.phase(name):
            start = self._now()
            try:
                yield
            finally:
                self.seconds[name] = self.seconds.get(name, 0.0) + self._now() - start

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return time.perf_counter()
