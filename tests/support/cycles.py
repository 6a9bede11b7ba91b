"""A CycleGAN made tiny: drawn shapes, and trainings of them in this process."""

import pytest
import torch
from conftest import experiment
from training import Never

from dawn.engine.shutdown import Interrupted
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.cycle.domains import describe, made, write
from dawn.tasks.cycle.train import set_up

WORLD = World(0, 1, torch.device("cpu"))
TINY = {
    "task": "cycle",
    "domains": {"kind": "shapes", "train": 10, "test": 4},
    "cycle": {
        "generator": {"width": 4, "blocks": 1},
        "critic": {"width": 4, "receptive_field": 16},
        "pool": 5, "epochs": 3, "batch": 2, "pad": 2, "precision": "fp32", "lr": 1e-3,
    },
    "run": {"trace": True},
}  # fmt: skip


def settings(domains=None, **cycle):
    """The tiny experiment, with settings of both sections merged over it."""
    return experiment(**TINY | {"domains": TINY["domains"] | (domains or {}), "cycle": TINY["cycle"] | cycle})


def domains(folder, **over):
    """Write the domains of the tiny experiment, or others, into a folder, and return it."""
    chosen = settings(over).domains
    folder.mkdir(parents=True, exist_ok=True)
    arrays = made(folder, chosen)
    write(folder, arrays, describe(arrays, chosen))
    return folder


def ready(data, directory, seed=0, world=WORLD, **cycle):
    trainer = set_up(settings(**cycle), data, None, seed, directory, world, Clock(world.device))
    trainer.resume()
    return trainer


def trained(data, directory, seed=0, **cycle):
    trainer = ready(data, directory, seed, **cycle)
    list(trainer.run(Never()))
    return trainer


def stopped_and_resumed(data, directory, stop, **cycle):
    """A training that is stopped by a request, and another that continues from its checkpoint to the end."""
    first = ready(data, directory, **cycle)
    with pytest.raises(Interrupted):
        list(first.run(stop(first)))
    torch.manual_seed(12345)
    resumed = ready(data, directory, **cycle)
    list(resumed.run(Never()))
    return resumed


def gradients_and_pools(trainer):
    """Adam's means of the gradients of kernels, and the pools.

    They show whether two trainings do the same within rounding. Weights do not: Adam divides a gradient by its size, so
    that a gradient of rounding alone, as that of a bias before instance norm, moves its weight as far as any other.
    """
    state = trainer.task.state.state_dict()
    means = [s["exp_avg"] for optimizer in state["optimizers"] for s in optimizer["state"].values()]
    return [*(mean for mean in means if mean.ndim > 1), *state["pools"]]
