"""From the settings of an experiment to a Trainer of a GAN that can start."""

from pathlib import Path

import torch

from dawn.config.experiment import Experiment
from dawn.config.parts import Augment
from dawn.core.cli import InputError
from dawn.core.files import read_json
from dawn.data.dataset import Trainset, load
from dawn.gans import penalties
from dawn.gans.networks import build
from dawn.gans.state import GanState
from dawn.gans.task import GanTask
from dawn.runtime.batch_norm import convert
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.training.trainer import Trainer


def set_up(
    experiment: Experiment, data: Path, seed: int, directory: Path, world: World, clock: Clock
) -> Trainer[GanTask]:
    """Return a Trainer with the train split of ``data`` on the device, and both networks built.

    Its checkpoints are in ``directory``; ``Trainer.resume`` comes next.
    """
    gan = experiment.gan
    if gan.batch % world.size:
        raise InputError(f"gan.batch {gan.batch} is not divisible by {world.size} processes")
    with clock.phase("load"):
        split = load(data, None, "train", world.device)
        if len(split) < gan.batch:
            raise InputError(
                f"gan.batch = {gan.batch} is more than the {len(split)} images of the train split; lower it"
            )
        trainset = Trainset(split, Augment(flip="random" if gan.flip else "none"), seed, gan.batch)
    with clock.phase("build"):
        classes = len(read_json(data / "dataset.json")["classes"])
        nets = [net.to(world.device) for net in build(gan, classes, trainset.whole, seed)]
        nets = [net.to(memory_format=torch.channels_last) for net in nets]
        if world.size > 1:
            twice = penalties.wanted(gan.penalty)
            nets = [convert(nets[0], world.device), convert(nets[1], world.device, twice)]
        state = GanState(gan, nets[0], nets[1], world)
    task = GanTask(gan, seed, world, clock, trainset, classes, state)
    return Trainer(experiment, seed, world, clock, task, directory)
