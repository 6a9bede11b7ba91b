"""``dawn.model`` for a classifier."""

from typing import Any

import torch

from dawn.config.experiment import Experiment
from dawn.engine import description
from dawn.engine.weights import checksum
from dawn.tasks.classify.networks.build import build, check_output


def describe(experiment: Experiment, classes: int, size: int) -> dict[str, Any]:
    """Return the network's parameters, FLOPs and layers, and the checksum of the initial weights of every seed."""
    net = build(experiment.model, classes, experiment.seeds[0]).eval()
    check_output(net, classes, size)
    network = description.describe(net, torch.zeros(1, 3, size, size))
    return {
        **experiment.model.model_dump(mode="json"),
        "parameters": network["parameters"],
        "flops": network["flops"],
        "input": [3, size, size],
        "classes": classes,
        "initial_sha256": {str(seed): checksum(build(experiment.model, classes, seed)) for seed in experiment.seeds},
        "layers": network["layers"],
    }


def text(figures: dict[str, Any]) -> str:
    """Return the layers as a table."""
    return description.table(figures["layers"], figures["family"], figures)
