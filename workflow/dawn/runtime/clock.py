"""A clock of phases that waits for the device."""

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import torch


class Meter(Protocol):
    """Energy counters of a device, as dawn.monitoring.energy has them; ``source`` names them, None without any."""

    source: str | None
    joules: dict[str, float | None]

    def charge(self, phase: str | None) -> None:
        """Add the energy used since the last call to ``phase``, to no phase where it is None."""


@dataclass
class Clock:
    """Seconds by phase, and joules where there is a ``meter``. The device's queue is emptied at every change of phase.

    Phases exclude each other: a phase inside another one suspends it. So ``seconds`` holds the time of every open
    phase up to the last change, which is what a checkpoint written in the middle of an epoch needs.
    """

    device: torch.device
    meter: Meter | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    _open: list[str] = field(default_factory=list)
    _last: float = 0.0

    @contextmanager
    def phase(self, name: str) -> Iterator[None]:
        """Add the time of the block to the phase ``name``, also when the block raises."""
        self._change()
        self._open.append(name)
        try:
            yield
        finally:
            self._change()
            self._open.pop()

    def state(self) -> dict[str, Any]:
        """Seconds and joules by phase so far, for a checkpoint."""
        return {"seconds": dict(self.seconds), "joules": dict(self.meter.joules) if self.meter else {}}

    def restore(self, state: Mapping[str, Any], *phases: str) -> None:
        """Take over the seconds and joules of the named phases."""
        self.seconds |= {phase: state["seconds"].get(phase, 0.0) for phase in phases}
        if self.meter:
            self.meter.joules |= {phase: used for phase, used in state["joules"].items() if phase in phases}

    def _change(self) -> None:
        """Charge the time and energy since the last change to the innermost open phase."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        now, phase = time.perf_counter(), self._open[-1] if self._open else None
        if phase:
            self.seconds[phase] = self.seconds.get(phase, 0.0) + now - self._last
        if self.meter:
            self.meter.charge(phase)
        self._last = time.perf_counter()
