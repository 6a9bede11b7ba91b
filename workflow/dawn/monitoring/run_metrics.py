"""The metrics of one training: its result, the clock by phase, memory, energy, and what it ran on."""

import math
from typing import Any

import torch

from dawn.engine.trainer import Trainer
from dawn.results.phases import TIMED, UNTIMED
from dawn.results.provenance import distinct, here
from dawn.runtime.distributed import World, objects_of_all, sum_over_processes
from dawn.runtime.measure import peak


def run_metrics(trainer: Trainer[Any], result: dict[str, Any]) -> dict[str, Any]:
    """Return ``result`` with times in seconds, memory in bytes and energy in joules. Every process calls this.

    ``seconds`` and ``joules`` are sums over the timed phases; ``joules`` is None where a device has no counter.
    """
    seconds, world = trainer.clock.seconds, trainer.world
    meter, on_cpu = trainer.clock.meter, world.device.type == "cpu"
    timed = {phase: seconds[phase] for phase in TIMED if phase in seconds}
    return {
        "seed": trainer.seed,
        **result,
        "high_loss": trainer.high_loss(),
        "epochs": trainer.task.epochs,
        "steps": trainer.step,
        "seconds": sum(timed.values()),
        "seconds_by_phase": timed,
        "seconds_untimed": {phase: seconds.get(phase, 0.0) for phase in UNTIMED},
        "images_per_s": trainer.step * trainer.task.batch / trainer.seconds(),
        "joules": total_joules(own_joules(trainer), world),
        "energy_source": meter.source if meter else None,
        "peak_memory_bytes": peak(world.device),
        "parameters": sum(p.numel() for net in trainer.task.networks for p in net.parameters()),
        "precision": trainer.task.precision,
        "device": "cpu" if on_cpu else torch.cuda.get_device_name(world.device),
        "processes": world.size,
        "threads": torch.get_num_threads() if on_cpu else None,
        "resumed": trainer.resumed,
        "first_step": trainer.first_step,
        "after_first_step": trainer.after_first_step,
        "ran_on": distinct([*trainer.ran_on, *objects_of_all(here(), world)]),
    }


def own_joules(trainer: Trainer[Any]) -> float | None:
    """Return the energy of the timed phases on this process's device, or None.

    A checkpoint has the energy of the first process only, so several processes that were resumed have none.
    """
    meter = trainer.clock.meter
    if meter is None or meter.source is None or (trainer.resumed and trainer.world.size > 1):
        return None
    parts = [meter.joules.get(phase, 0.0) for phase in TIMED]
    known = [part for part in parts if part is not None]
    return sum(known) if len(known) == len(parts) else None


def total_joules(joules: float | None, world: World) -> float | None:
    """Return the sum over the devices of all processes, or None unless every one is known."""
    value = torch.tensor(math.nan if joules is None else joules, dtype=torch.float64, device=world.device)
    total = float(sum_over_processes(value, world))
    return None if math.isnan(total) else total
