"""``dawn.model`` for a GAN: both networks and the sums of their parameters and FLOPs."""

from typing import Any

import torch

from dawn.config.experiment import Experiment
from dawn.engine import description
from dawn.engine.weights import checksum
from dawn.tasks.gan.networks import build

NETWORKS = ("generator", "critic")


def describe(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """Return parameters, FLOPs and layers of both, their sums, and the checksums of every seed's initial weights."""
    generator, critic = (net.eval() for net in build(experiment.gan, classes, size, experiment.seeds[0]))
    label = torch.zeros(1, dtype=torch.int64)
    figures = {
        "generator": description.describe(generator, torch.zeros(1, experiment.gan.generator.latent), label),
        "critic": description.describe(critic, torch.zeros(1, 3, size, size), label),
    }
    initial = {
        str(seed): dict(zip(NETWORKS, map(checksum, build(experiment.gan, classes, size, seed)), strict=True))
        for seed in experiment.seeds
    }
    sums = {name: sum(network[name] for network in figures.values()) for name in ("parameters", "flops")}
    return {**sums, "image": [3, size, size], "classes": classes, "initial_sha256": initial, **figures}


def text(figures: dict[str, Any]) -> str:
    """Return a table for each network."""
    return description.tables(figures, NETWORKS)
