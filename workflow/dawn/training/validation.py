"""How a network under training does on a split: mean loss and accuracy, by the weights to judge it by."""

import torch
from torch.nn import functional

from dawn.data.dataset import Split
from dawn.runtime.distributed import World
from dawn.training.step import Training, summed

CHUNK = 500  # images a forward pass when only counting


@torch.no_grad()
def count(training: Training, split: Split, world: World) -> tuple[float, float]:
    """Mean loss and accuracy in percent over a split, by the averaged weights where there are any.

    Each process sees its part of the images once; the plain network runs, since the parts may differ in size.
    """
    training.net.eval()
    total = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    last = len(split) * (world.rank + 1) // world.size
    with training.averaged():
        for first in range(len(split) * world.rank // world.size, last, CHUNK):
            images, labels = split.slice(first, min(first + CHUNK, last))
            logits = training.precision.logits(training.net, training.arranged(images))
            total[0] += functional.cross_entropy(logits, labels, reduction="sum")
            total[1] += (logits.argmax(1) == labels).sum()
    training.net.train()
    loss, right = (summed(total, world) / len(split)).tolist()
    return loss, 100 * right
