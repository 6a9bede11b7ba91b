"""``dawn.train`` for a CycleGAN: a Trainer that can start, and what a finished training leaves.

model.safetensors has the generators in to_a.* and to_b.*. progress.npy is uint8 (epochs, 64, h, w, 3): the first 32
test images of A translated, then those of B. Checkpoints include the image pools.
"""

from pathlib import Path
from typing import Any

import numpy as np
import torch

from dawn.config.augment import Augment
from dawn.config.experiment import Experiment
from dawn.config.records import Domains
from dawn.core.array_file import IMAGES, load_array, save_array
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data.dataset import Split, Trainset
from dawn.engine.checkpoint import Checkpoints
from dawn.engine.trainer import Trainer
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.runtime.streams import number
from dawn.tasks.cycle import weights
from dawn.tasks.cycle.curve import CycleMetrics
from dawn.tasks.cycle.domains import Images
from dawn.tasks.cycle.layers import memory_format
from dawn.tasks.cycle.networks import build
from dawn.tasks.cycle.settings import OTHERS, TESTS, TRAINS, Cycle
from dawn.tasks.cycle.state import CycleState
from dawn.tasks.cycle.training import CycleTask


def set_up(
    experiment: Experiment, data: Path, stats: Path | None, seed: int, root: Path | None, world: World, clock: Clock
) -> Trainer[CycleTask]:
    """Return a Trainer with both domains of ``data`` on the device, and the networks built.

    Its checkpoints are below ``root``, or nowhere; ``Trainer.resume`` comes next.
    """
    cycle = experiment.cycle
    if cycle.batch % world.size:
        raise InputError(f"cycle.batch {cycle.batch} is not divisible by {world.size} processes")
    if read_json(data / "domains.json", Domains)["settings"] != experiment.domains.model_dump(mode="json"):
        raise InputError(f"{data}/domains.json is of other settings in the section domains; make it again")
    with clock.phase("load"):
        arrays = [array(data, name) for name in TRAINS + (OTHERS if cycle.pairs else ())]
        tests = [array(data, name) for name in TESTS]
        # The draws of both domains are independent of each other. With pairs, A in B has those of A, and B in A of B.
        of_a, of_b = (number(64, seed, "domain", domain) for domain in ("a", "b"))
        trainsets = [
            trainset(images, cycle, draws, world.device)
            for images, draws in zip(arrays, (of_a, of_b, of_a, of_b), strict=False)
        ]
    with clock.phase("build"):
        pixels = trainsets[0].whole
        nets = build(cycle, pixels, seed)
        for net in vars(nets).values():
            net.to(world.device, memory_format=memory_format(world.device))
        state = CycleState(cycle, nets, pixels, seed, world)
    task = CycleTask(cycle, world, clock, trainsets, tests, experiment.domains.paired, state)
    checkpoints = Checkpoints.of(root, experiment, seed, world, data, None)
    return Trainer(experiment, seed, world, clock, task, checkpoints)


def line(trainer: Trainer[CycleTask], row: CycleMetrics) -> str:
    """Return the losses of an epoch in words."""
    truth = "" if row.psnr is None else f"  test {row.psnr:.2f} dB"
    return (
        f"adversarial {row.adversarial_loss:.4f}  cycle {row.cycle_loss:.4f}  identity {row.identity_loss:.4f}"
        f"  critic {row.critic_loss:.4f}{truth}"
    )


def result(trainer: Trainer[CycleTask]) -> dict[str, Any]:
    """Return what the last epoch says of the result."""
    names = ("adversarial_loss", "cycle_loss", "identity_loss", "critic_loss", "psnr")
    return {name: getattr(trainer.curve[-1], name) for name in names}


def write(trainer: Trainer[CycleTask], out: Path, data: Path, stats: Path | None, choices: str) -> None:
    """Write the weights, with the ``choices`` that made them in the header, and the translations along the training."""
    task = trainer.task
    names = read_json(data / "domains.json", Domains)["names"]
    preprocessing = {"size": task.trainsets[0].whole, "resize": trainer.experiment.data.resize}
    save_array(out / "progress.npy", np.stack([images.numpy() for images in task.progress]))
    weights.write(out / "model.safetensors", task.state.nets, choices, names, preprocessing)


def memory(experiment: Experiment) -> str:
    """Return which settings take memory, and the remedy."""
    return f"cycle.batch {experiment.cycle.batch}; lower cycle.batch, cycle.generator.width or cycle.critic.width"


def trainset(images: Images, cycle: Cycle, seed: int, device: torch.device) -> Trainset:
    """Return the batches of a domain, of images from -1 to 1."""
    if len(images) < cycle.batch:
        raise InputError(f"cycle.batch = {cycle.batch} is more than the {len(images)} images of a domain; lower it")
    half = torch.full((3,), 0.5, device=device)
    labels = torch.zeros(len(images), dtype=torch.int64, device=device)
    augment = Augment(pad=cycle.pad, mode=cycle.mode, flip="random" if cycle.flip else "none")
    if fault := augment.beyond(images.shape[1], "cycle"):
        raise InputError(fault)
    return Trainset(Split(torch.tensor(images, device=device), labels, half, half), augment, seed, cycle.batch)


def array(data: Path, name: str) -> Images:
    """Return the images of a domain, uint8 (n, h, w, 3)."""
    path = data / f"{name}.npy"
    images: Images = load_array(path, IMAGES)
    if images.shape[1] != images.shape[2]:
        raise InputError(f"{path} is {images.dtype} {images.shape}, not uint8 (n, h, h, 3); make it again")
    return images
