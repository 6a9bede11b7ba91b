"""What one training came to, in plain values: its clock by phase, what stands beside the clock, its energy."""

import math
import resource
from typing import Any

import torch

from dawn.results.phases import TIMED, UNTIMED
from dawn.runtime.distributed import sum_over_processes
from dawn.training.trainer import Trainer


def account(trainer: Trainer) -> dict[str, Any]:
    """Accuracies in percent, times in seconds, memory in bytes, energy in joules. Every process of the world asks.

    ``seconds`` is the clock: the sum of its phases so far. ``joules`` is what its phases took, null where the device
    does not tell.
    """
    last, clock, device = trainer.curve[-1], trainer.clock.seconds, trainer.world.device
    meter = trainer.clock.meter
    phases = {phase: clock[phase] for phase in TIMED if phase in clock}
    return {
        "seed": trainer.seed,
        "monitored": trainer.experiment.data.monitored,
        "accuracy": last.accuracy,
        "loss": last.loss,
        "train_accuracy": last.train_accuracy,
        "train_loss": last.train_loss,
        "epochs": trainer.experiment.train.epochs,
        "steps": trainer.step,
        "seconds": sum(phases.values()),
        "seconds_by_phase": phases,
        "seconds_untimed": {phase: clock.get(phase, 0.0) for phase in UNTIMED},
        "images_per_s": trainer.step * trainer.experiment.train.batch / trainer.seconds(),
        "joules": joules(trainer),
        "energy_source": meter.source if meter else None,
        "peak_memory_bytes": peak(device),
        "parameters": sum(p.numel() for p in trainer.state.net.parameters()),
        "precision": trainer.state.precision.kind,
        "device": torch.cuda.get_device_name(device) if device.type == "cuda" else "cpu",
        "processes": trainer.world.size,
        "resumed": trainer.resumed,
    }


def joules(trainer: Trainer) -> float | None:
    """What the clock's phases took on all devices of the world; None unless every one of them tells.

    A state holds the first process's figure alone, so several that went on from one have none.
    """
    meter, world = trainer.clock.meter, trainer.world
    parts = [meter.joules.get(phase, 0.0) if meter else None for phase in TIMED]
    told = (
        meter is not None
        and meter.source is not None
        and None not in parts
        and not (trainer.resumed and world.size > 1)
    )
    mine = sum(part for part in parts if part is not None) if told else math.nan
    total = float(sum_over_processes(torch.tensor(mine, dtype=torch.float64, device=world.device), world))
    return None if math.isnan(total) else total


def peak(device: torch.device) -> int:
    """The most memory that was held: of the GPU, or resident."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
