"""Small trainings of GANs."""

import pytest
import torch
from conftest import experiment
from training import WORLD, At, Never

from dawn.config.experiment import merge
from dawn.engine.shutdown import Interrupted
from dawn.runtime.clock import Clock
from dawn.tasks.gan.train import set_up

TINY_GAN = {
    "task": "gan",
    "gan": {
        "generator": {"width": 4, "latent": 8, "extra_layers": 0},
        "critic": {"width": 4, "extra_layers": 0},
        "critic_steps": {"usual": 2, "every": 0},
        "batch": 16, "epochs": 3, "precision": "fp32",
    },
    "run": {"trace": True},
}  # fmt: skip
FULL_GAN = {  # with everything that has a state or draws random numbers
    "generator": {"ema": 0.9},
    "critic": {"norm": "none", "spectral_norm": True, "classifier": 0.5},
    "conditional": True, "loss": "hinge", "clamp": None, "flip": True,
    "penalty": {"gradient": 10, "r1": 1, "r2": 1, "every": 2},
    "optimizer": {"kind": "adam", "decay": "linear"},
    "augment": ["color", "translation", "cutout"],
}  # fmt: skip


def ready_gan(data, directory, seed=0, world=WORLD, **gan):
    """A trainer of the tiny GAN with settings merged over it, resumed."""
    settings = experiment(**merge(TINY_GAN, {"gan": gan}))
    trainer = set_up(settings, data, None, seed, directory, world, Clock(world.device))
    trainer.resume()
    return trainer


def trained_gan(data, directory, seed=0, **gan):
    """A trainer that has trained to its end and left the weights that make the samples."""
    trainer = ready_gan(data, directory, seed, **gan)
    list(trainer.run(Never()))
    trainer.task.finish()
    return trainer


def resumed_gan(data, directory, steps, **gan):
    """The same, stopped after each of ``steps`` and continued from its checkpoint."""
    for step in steps:
        trainer = ready_gan(data, directory, **gan)
        torch.manual_seed(12345)
        with pytest.raises(Interrupted):
            list(trainer.run(At(trainer, step)))
    return trained_gan(data, directory, **gan)
