"""Features of images: what the layers of a classifier make of them, by which generated images are measured."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from dawn.config.experiment import Experiment
from dawn.data.augment import normalise, resized
from dawn.data.dataset import Split
from dawn.runtime.precision import Precision
from dawn.tasks.classify.networks.build import build
from dawn.tasks.classify.whitening import set_whitening

Floats = NDArray[np.float32]
CALIBRATED = 1000  # train images from which an untrained network's batch norms take their statistics
WEIGHTED = (nn.Conv2d, nn.Linear)


@dataclass(frozen=True)
class Features:
    """Features (n, d) of two layers and logits (n, classes) of n images."""

    penultimate: Floats
    middle: Floats
    logits: Floats


class Extractor:
    """A classifier whose features are wanted, in the precision and image size of its evaluation; one view an image.

    The penultimate layer is the input of the last linear layer or convolution in the order of execution; the middle
    layer is the input of the one that is halfway. Both are averaged over space, or over the tokens of a transformer.
    ``net`` is an fp32 network; it is left in evaluation mode, channels-last and in the precision of the evaluation.
    """

    def __init__(self, net: nn.Module, experiment: Experiment, mean: Tensor, std: Tensor) -> None:
        settings, sizes = experiment.evaluate, experiment.train.sizes
        self.net = net.to(memory_format=torch.channels_last).eval()
        self.precision = Precision(settings.precision, 1.0, self.net, mean.device)
        self.mean, self.std, self.batch = mean, std, settings.batch
        self.size = sizes[-1][1] if sizes else None
        self.layers: tuple[nn.Module, nn.Module] | None = None
        self.units = (1.0, 1.0)

    def set_units(self, images: NDArray[np.uint8]) -> None:
        """Divide features from now on by their root mean square over these images, each layer by its own.

        A network's features have a scale of no meaning, which a distance raises to the sixth power (dawn.measures.kid).
        """
        seen = self(images)
        rms = [float(np.sqrt(np.square(x, dtype=np.float64).mean())) for x in (seen.penultimate, seen.middle)]
        self.units = (rms[0] or 1.0, rms[1] or 1.0)

    @torch.inference_mode()
    def __call__(self, images: NDArray[np.uint8]) -> Features:
        """Features of images uint8 (n, h, w, 3), n >= 1."""
        batches: list[tuple[Tensor, Tensor, Tensor]] = []
        for first in range(0, len(images), self.batch):
            batches.append(self._batch(torch.tensor(images[first : first + self.batch], device=self.mean.device)))
        return Features(*(torch.cat(parts).numpy() for parts in zip(*batches, strict=True)))

    def _batch(self, pixels: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Penultimate and middle features and logits of pixels uint8 (b, h, w, 3), on the CPU."""
        x = normalise(pixels if self.size is None else resized(pixels, self.size), self.mean, self.std)
        if self.layers is None:
            order = executed(self.net, lambda: self.precision.logits(self.net, x[:1]))
            self.layers = (order[-1], order[len(order) // 2])
        seen: dict[nn.Module, Tensor] = {}
        hooks = [layer.register_forward_pre_hook(lambda m, args: seen.update({m: pooled(m, args[0])}))
                 for layer in set(self.layers)]  # fmt: skip
        try:
            logits = self.precision.logits(self.net, x)
        finally:
            for hook in hooks:
                hook.remove()
        last, middle = (seen[layer].float().cpu() / unit for layer, unit in zip(self.layers, self.units, strict=True))
        return last, middle, logits.cpu()


def executed(net: nn.Module, run: Any) -> list[nn.Module]:
    """The convolutions and linear layers in the order in which ``run()`` first calls them."""
    order: dict[nn.Module, None] = {}
    hooks = [
        module.register_forward_pre_hook(lambda m, _: order.setdefault(m))
        for module in net.modules()
        if isinstance(module, WEIGHTED)
    ]
    try:
        run()
    finally:
        for hook in hooks:
            hook.remove()
    if not order:
        raise ValueError("the network calls no convolution and no linear layer, so it has no layer to take features of")
    return list(order)


def pooled(layer: nn.Module, x: Tensor) -> Tensor:
    """The input of a layer averaged over all but images and channels: (b, c, h, w) or (b, ..., c) to (b, c)."""
    if isinstance(layer, nn.Conv2d):
        return x.float().mean((2, 3))
    return x.float().flatten(1, -2).mean(1) if x.dim() > 2 else x.float().clone()


def untrained(experiment: Experiment, classes: int, seed: int, train: Split) -> nn.Module:
    """The network of ``seed`` before its training, whitening and batch-norm statistics taken from train images.

    Without statistics an untrained network's activations may vanish layer by layer.
    """
    net = build(experiment.model, classes, seed).to(train.images.device)
    sizes = experiment.train.sizes
    split = train.at(sizes[-1][1]) if sizes else train
    set_whitening(net, split)
    norms = [module for module in net.modules() if isinstance(module, _BatchNorm)]
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean over all batches
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.manual_seed(seed)
        for first in range(0, min(len(split), CALIBRATED), 250):
            net.train()(split.slice(first, min(first + 250, len(split), CALIBRATED))[0])
    return net.eval()
