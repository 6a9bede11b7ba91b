"""``dawn.model`` for a CycleGAN: one generator and one critic of two, which are alike, and the sums of all four."""

from typing import Any

import torch

from dawn.config.experiment import Experiment
from dawn.engine import description
from dawn.engine.weights import checksum
from dawn.tasks.cycle.networks import build

NETWORKS = ("generator", "critic")


def describe(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """Return parameters, FLOPs and layers, the sums of all four, and the checksums of every seed's initial weights."""
    nets = build(experiment.cycle, size, experiment.seeds[0])
    image = torch.zeros(1, 3, size, size)
    figures = {
        "generator": description.describe(nets.to_b.eval(), image),
        "critic": description.describe(nets.critic_b.eval(), image),
    }
    initial = {}
    for seed in experiment.seeds:
        nets = build(experiment.cycle, size, seed)
        initial[str(seed)] = {name: checksum(net) for name, net in vars(nets).items()}
    sums = {name: 2 * sum(network[name] for network in figures.values()) for name in ("parameters", "flops")}
    return {**sums, "image": [3, size, size], "initial_sha256": initial, **figures}


def text(figures: dict[str, Any]) -> str:
    """Return a table for each network."""
    return description.tables(figures, NETWORKS)
