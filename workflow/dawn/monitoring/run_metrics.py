"""The metrics of one training: accuracy, the clock by phase, memory, energy, and what it ran on."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import nn

from dawn.cycles.task import CycleTask
from dawn.gans.task import GanTask
from dawn.results.phases import TIMED, UNTIMED
from dawn.runtime.distributed import World, sum_over_processes
from dawn.runtime.measure import peak
from dawn.training.classifier import Classifier
from dawn.training.trainer import Trainer


def classifier_metrics(trainer: Trainer[Classifier]) -> dict[str, Any]:
    """Return the metrics of the training of a classifier, accuracies in percent. Every process calls this."""
    last, state = trainer.curve[-1], trainer.task.state
    result = {
        "monitored": trainer.experiment.data.monitored,
        "accuracy": last.accuracy,
        "loss": last.loss,
        "train_accuracy": last.train_accuracy,
        "train_loss": last.train_loss,
    }
    return run_metrics(trainer, result, [state.net], state.precision.kind)


def gan_metrics(trainer: Trainer[GanTask]) -> dict[str, Any]:
    """Return the metrics of the training of a GAN. Every process calls this."""
    last, state = trainer.curve[-1], trainer.task.state
    names = ("generator_steps", "critic_loss", "generator_loss", "real_score", "fake_score")
    result = {name: getattr(last, name) for name in names}
    return run_metrics(trainer, result, [state.generator, state.critic], state.precisions[0].kind)


def cycle_metrics(trainer: Trainer[CycleTask]) -> dict[str, Any]:
    """Return the metrics of the training of a CycleGAN. Every process calls this."""
    last, state = trainer.curve[-1], trainer.task.state
    names = ("adversarial_loss", "cycle_loss", "identity_loss", "critic_loss", "psnr")
    result = {name: getattr(last, name) for name in names}
    return run_metrics(trainer, result, [state.nets.module], state.precisions[0].kind)


def run_metrics(
    trainer: Trainer[Any], result: dict[str, Any], nets: Sequence[nn.Module], precision: str
) -> dict[str, Any]:
    """Return ``result`` with times in seconds, memory in bytes and energy in joules. Every process calls this.

    ``seconds`` and ``joules`` are sums over the timed phases; ``joules`` is None where a device has no counter.
    """
    seconds, world = trainer.clock.seconds, trainer.world
    meter, on_cpu = trainer.clock.meter, world.device.type == "cpu"
    timed = {phase: seconds[phase] for phase in TIMED if phase in seconds}
    return {
        "seed": trainer.seed,
        **result,
        "epochs": trainer.task.epochs,
        "steps": trainer.step,
        "seconds": sum(timed.values()),
        "seconds_by_phase": timed,
        "seconds_untimed": {phase: seconds.get(phase, 0.0) for phase in UNTIMED},
        "images_per_s": trainer.step * trainer.task.batch / trainer.seconds(),
        "joules": total_joules(own_joules(trainer), world),
        "energy_source": meter.source if meter else None,
        "peak_memory_bytes": peak(world.device),
        "parameters": sum(p.numel() for net in nets for p in net.parameters()),
        "precision": precision,
        "device": "cpu" if on_cpu else torch.cuda.get_device_name(world.device),
        "processes": world.size,
        "threads": torch.get_num_threads() if on_cpu else None,
        "resumed": trainer.resumed,
        "first_step": trainer.first_step,
        "after_first_step": trainer.after_first_step,
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


def total_joules(own: float | None, world: World) -> float | None:
    """Return the sum over the devices of all processes, or None unless every one is known."""
    value = torch.tensor(math.nan if own is None else own, dtype=torch.float64, device=world.device)
    total = float(sum_over_processes(value, world))
    return None if math.isnan(total) else total
