"""From the settings of an experiment to a Trainer of a GAN that can start."""

from pathlib import Path

import torch

from dawn.config.experiment import Experiment
from dawn.config.parts import Augment
from dawn.core.cli import InputError
from dawn.core.files import read_json
from dawn.data.dataset import Trainset, load
from dawn.gans import penalties
from dawn.gans.layers import Conv
from dawn.gans.networks import build
from dawn.gans.state import GanState
from dawn.gans.task import GanTask
from dawn.models.kernels import winograd
from dawn.models.kernels.compiled import Unavailable, library
from dawn.runtime.batch_norm import convert
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.training.checkpoint import Checkpoints
from dawn.training.trainer import Trainer


def set_up(
    experiment: Experiment, data: Path, seed: int, root: Path | None, world: World, clock: Clock
) -> Trainer[GanTask]:
    """Return a Trainer with the train split of ``data`` on the device, and both networks built.

    Its checkpoints are below ``root``, or nowhere; ``Trainer.resume`` comes next.
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
        generator, critic = build(gan, classes, trainset.whole, seed)
        for net in (generator, critic):
            net.to(world.device).to(memory_format=torch.channels_last)
        if world.size > 1:
            convert(generator, world.device)  # in place, since neither is a batch norm itself
            convert(critic, world.device, penalties.wanted(gan.penalty))
        state = GanState(gan, generator, critic, world)
    task = GanTask(gan, seed, world, clock, trainset, classes, state)
    checkpoints = Checkpoints.of(root, "gan_train", experiment, seed, world, data)
    trainer = Trainer(experiment, seed, world, clock, task, checkpoints)
    if gan.custom_kernels:
        with clock.phase("compile"):
            trainer.note = use_kernels(state, world)
    return trainer


def use_kernels(state: GanState, world: World) -> str | None:
    """Train with custom kernels. Return why they cannot be had here, or None."""
    try:
        if world.device.type != "cpu" or state.precisions[0].kind != "bf16":
            raise Unavailable("they are for a CPU and gan.precision bf16")
        if penalties.wanted(state.settings.penalty):
            raise Unavailable("they have no second derivatives, which gan.penalty needs")
        library("winograd")
    except Unavailable as reason:
        return f"gan.custom_kernels has no effect: {reason}"
    for layer in (*state.generator.modules(), *state.critic.modules()):
        if isinstance(layer, Conv) and winograd.fits(layer):
            layer.kernel = winograd.convolution
    return None
