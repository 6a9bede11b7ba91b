"""Images from a generator in training or evaluation: uint8, from latent vectors that are functions of a seed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dawn.tasks.generative.pixels import to_pixels

BATCH = 250  # images in a forward pass


@torch.no_grad()
def generate(generator: nn.Module, latents: NDArray[np.float32], labels: NDArray[Any]) -> NDArray[np.uint8]:
    """Return the images uint8 (n, h, w, 3) of latents (n, size) and labels (n,), by the running statistics, in fp32."""
    device = next(generator.parameters()).device
    training = generator.training
    generator.eval()
    parts = []
    for first in range(0, len(latents), BATCH):
        vectors, classes = latents[first : first + BATCH], labels[first : first + BATCH].astype(np.int64)
        made = generator(torch.from_numpy(vectors).to(device), torch.from_numpy(classes).to(device))
        parts.append(to_pixels(made))
    generator.train(training)
    return np.concatenate(parts)


@torch.no_grad()
def match_batch_norms(generator: nn.Module, batches: Iterator[tuple[Tensor, Tensor]]) -> None:
    """Set the running statistics to the means over ``batches`` of latents and labels, for the weights as they are.

    Those of the training lag behind the weights, and belong to other weights than an average of them.
    """
    norms = [module for module in generator.modules() if isinstance(module, _BatchNorm)]
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # torch's name for the mean of all batches
    if norms:
        training = generator.training
        generator.train()
        for latents, labels in batches:
            generator(latents, labels)
        generator.train(training)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum


@contextmanager
def buffers_kept(net: nn.Module) -> Iterator[None]:
    """Restore the buffers of a network, such as running statistics, after the block."""
    saved = {name: buffer.clone() for name, buffer in net.named_buffers()}
    try:
        yield
    finally:
        for name, buffer in net.named_buffers():
            buffer.copy_(saved[name])
