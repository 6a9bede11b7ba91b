"""Validation of a network in training: mean loss and accuracy on a split."""

import torch
from torch.nn import functional

from dawn.data.dataset import Split
from dawn.runtime.distributed import World, sum_over_processes
from dawn.tasks.classify.step import TrainState

BATCH = 500  # images in a forward pass


@torch.no_grad()
def validate(state: TrainState, split: Split, world: World) -> tuple[float, float]:
    """Return mean loss and accuracy in percent on a split, of the EMA if there is one.

    Each process evaluates its part of the images; the parts may differ in size, so the plain network runs.
    """
    state.net.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    last = len(split) * (world.rank + 1) // world.size
    with state.averaged():
        for first in range(len(split) * world.rank // world.size, last, BATCH):
            images, labels = split.slice(first, min(first + BATCH, last))
            logits = state.precision.logits(state.net, state.in_format(images))
            sums[0] += functional.cross_entropy(logits, labels, reduction="sum")
            sums[1] += (logits.argmax(1) == labels).sum()
    state.net.train()
    loss, correct = (sum_over_processes(sums, world) / len(split)).tolist()
    return loss, 100 * correct
