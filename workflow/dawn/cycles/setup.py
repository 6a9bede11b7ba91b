"""From the settings of an experiment to a Trainer of a CycleGAN that can start."""

from pathlib import Path

import numpy as np
import torch

from dawn.config.cycle import Cycle
from dawn.config.domains import OTHERS, TESTS, TRAINS
from dawn.config.experiment import Experiment
from dawn.config.parts import Augment
from dawn.core.cli import InputError
from dawn.core.files import read_json
from dawn.cycles.layers import memory_format
from dawn.cycles.networks import build
from dawn.cycles.state import CycleState
from dawn.cycles.task import CycleTask
from dawn.data.dataset import Split, Trainset
from dawn.data.domains import Images
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.runtime.streams import number
from dawn.training.checkpoint import Checkpoints
from dawn.training.trainer import Trainer


def set_up(
    experiment: Experiment, data: Path, seed: int, root: Path | None, world: World, clock: Clock
) -> Trainer[CycleTask]:
    """Return a Trainer with both domains of ``data`` on the device, and the networks built.

    Its checkpoints are below ``root``, or nowhere; ``Trainer.resume`` comes next.
    """
    cycle = experiment.cycle
    if cycle.batch % world.size:
        raise InputError(f"cycle.batch {cycle.batch} is not divisible by {world.size} processes")
    if read_json(data / "domains.json")["settings"] != experiment.domains.model_dump(mode="json"):
        raise InputError(f"{data}/domains.json is of other settings in the section domains; run python -m dawn.domains")
    with clock.phase("load"):
        arrays = [array(data, name) for name in TRAINS + (OTHERS if cycle.pairs else ())]
        tests = [array(data, name) for name in TESTS]
        # Both images of a pair have the same draws; those of the domains are independent of each other.
        seeds = [number(64, seed, "domain", domain) for domain in "abab"]
        trainsets = [
            trainset(images, cycle, own, world.device) for images, own in zip(arrays, seeds[: len(arrays)], strict=True)
        ]
    with clock.phase("build"):
        pixels = trainsets[0].whole
        nets = build(cycle, pixels, seed)
        for net in vars(nets).values():
            net.to(world.device, memory_format=memory_format(world.device))
        state = CycleState(cycle, nets, pixels, seed, world)
    task = CycleTask(cycle, world, clock, trainsets, tests, experiment.domains.paired, state)
    checkpoints = Checkpoints.of(root, "cycle_train", experiment, seed, world, data, data / "domains.json")
    return Trainer(experiment, seed, world, clock, task, checkpoints)


def trainset(images: Images, cycle: Cycle, seed: int, device: torch.device) -> Trainset:
    """Return the batches of a domain, of images from -1 to 1."""
    if len(images) < cycle.batch:
        raise InputError(f"cycle.batch = {cycle.batch} is more than the {len(images)} images of a domain; lower it")
    half = torch.full((3,), 0.5, device=device)
    labels = torch.zeros(len(images), dtype=torch.int64, device=device)
    augment = Augment(pad=cycle.pad, flip="random" if cycle.flip else "none")
    if fault := augment.beyond(images.shape[1], "cycle"):
        raise InputError(fault)
    return Trainset(Split(torch.tensor(images, device=device), labels, half, half), augment, seed, cycle.batch)


def array(data: Path, name: str) -> Images:
    """Return the images of a domain, uint8 (n, h, w, 3)."""
    path = data / f"{name}.npy"
    try:
        images: Images = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise InputError(f"{path} is not a whole .npy array ({error}); make it with python -m dawn.domains") from error
    if images.ndim != 4 or images.shape[1] != images.shape[2] or images.shape[3] != 3 or images.dtype != np.uint8:
        raise InputError(
            f"{path} is {images.dtype} {images.shape}, not uint8 (n, h, h, 3); make it with python -m dawn.domains"
        )
    return images
