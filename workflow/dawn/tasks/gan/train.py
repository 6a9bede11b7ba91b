"""``dawn.train`` for a GAN: a Trainer that can start, and what a finished training leaves.

model.safetensors has the weights that make the samples in generator.*: the EMA, if there is one. progress.npy is uint8
(epochs, 64, h, w, 3): samples of the same latent vectors along the training.
"""

from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import torch

from dawn.config.augment import Augment
from dawn.config.experiment import Experiment
from dawn.config.records import Named, WithSplits
from dawn.config.task import check_batch
from dawn.core.array_file import save_array
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data.dataset import Trainset, load
from dawn.engine.checkpoint import Checkpoints
from dawn.engine.trainer import Trainer
from dawn.runtime.batch_norm import convert
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.gan import penalties, weights
from dawn.tasks.gan.curve import GanMetrics
from dawn.tasks.gan.layers import Conv
from dawn.tasks.gan.networks import build
from dawn.tasks.gan.state import GanState
from dawn.tasks.gan.task import check_data, indivisible
from dawn.tasks.gan.training import GanTask


def set_up(
    experiment: Experiment, data: Path, stats: Path | None, seed: int, root: Path | None, world: World, clock: Clock
) -> Trainer[GanTask]:
    """Return a Trainer with the train split of ``data`` on the device, and both networks built.

    Its checkpoints are below ``root``, or nowhere; ``Trainer.resume`` comes next.
    """
    gan = experiment.gan
    if fault := indivisible(gan, world.size):
        raise InputError(fault)
    about = read_json(data / "dataset.json", WithSplits)
    if {"counts", "class_counts"} <= about.keys():
        check_data(experiment, about)
    with clock.phase("load"):
        split = load(data, None, "train", world.device)
        check_batch(experiment, {"counts": {"train": len(split)}})
        trainset = Trainset(split, Augment(flip="random" if gan.flip else "none"), seed, gan.batch)
    with clock.phase("build"):
        classes = len(about["classes"])
        generator, critic = build(gan, classes, trainset.whole, seed)
        for net in (generator, critic):
            net.to(world.device).to(memory_format=torch.channels_last)
        if world.size > 1:
            convert(generator, world.device)  # in place, since neither is a batch norm itself
            convert(critic, world.device, penalties.wanted(gan.penalty))
        state = GanState(gan, generator, critic, world)
    task = GanTask(gan, seed, world, clock, trainset, classes, state)
    checkpoints = Checkpoints.of(root, experiment, seed, world, data, None)
    trainer = Trainer(experiment, seed, world, clock, task, checkpoints)
    if gan.custom_kernels:
        with clock.phase("compile"):
            trainer.note = use_kernels(state, world)
    return trainer


def use_kernels(state: GanState, world: World) -> str | None:
    """Train with custom kernels. Return why they cannot be had here, or None."""
    # Imported by name: code of those trainings alone that use them.
    compiled, winograd = import_module("dawn.kernels.compiled"), import_module("dawn.kernels.winograd")
    try:
        if world.device.type != "cpu" or state.precisions[0].kind != "bf16":
            raise compiled.Unavailable("they are for a CPU and gan.precision bf16")
        if penalties.wanted(state.settings.penalty):
            raise compiled.Unavailable("they have no second derivatives, which gan.penalty needs")
        compiled.library("winograd")
    except compiled.Unavailable as reason:
        return f"gan.custom_kernels has no effect: {reason}"
    for layer in (*state.generator.modules(), *state.critic.modules()):
        if isinstance(layer, Conv) and winograd.fits(layer):
            layer.kernel = winograd.convolution
    return None


def line(trainer: Trainer[GanTask], row: GanMetrics) -> str:
    """Return the losses of an epoch in words."""
    return f"critic {row.critic_loss:.4f}  generator {row.generator_loss:.4f}  {row.generator_steps:,} generator steps"


def result(trainer: Trainer[GanTask]) -> dict[str, Any]:
    """Return what the last epoch says of the result."""
    names = ("generator_steps", "critic_loss", "generator_loss", "real_score", "fake_score")
    return {name: getattr(trainer.curve[-1], name) for name in names}


def write(trainer: Trainer[GanTask], out: Path, data: Path, stats: Path | None, choices: str) -> None:
    """Write the weights, in whose header are the ``choices`` that made them, and the samples along the training."""
    task, state = trainer.task, trainer.task.state
    classes = read_json(data / "dataset.json", Named)["classes"]
    save_array(out / "progress.npy", np.stack([images.numpy() for images in task.progress]))
    weights.write(out / "model.safetensors", state.generator, state.critic, choices, classes, task.trainset.whole)


def memory(experiment: Experiment) -> str:
    """Return which settings take memory, and the remedy."""
    return f"gan.batch {experiment.gan.batch}; lower gan.batch, gan.generator.width or gan.critic.width"
