"""From an experiment's choices to a training that can take its first step: build, compile, record, whiten."""

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dawn.config.experiment import Experiment
from dawn.data.augment import Draws, draw, windows
from dawn.data.dataset import Split, Trainset, make
from dawn.models import whitening
from dawn.models.airbench import Stem
from dawn.models.build import build, check_output
from dawn.runtime.distributed import World, parallel
from dawn.runtime.precision import Precision
from dawn.training import cuda_graph
from dawn.training.averaging import Average, Slow
from dawn.training.optimizer import optimizer
from dawn.training.step import Training


def prepare(experiment: Experiment, classes: int, size: int, seed: int, world: World) -> Training:
    """The network with its optimiser and averages, on the device; ``size`` is that of the images in pixels."""
    settings, device = experiment.train, world.device
    net = build(experiment.model, classes, seed)
    for pixels in {side for _, side in settings.sizes} or {size}:
        check_output(net, classes, pixels)
    net = net.to(device)
    if settings.channels_last:
        net = net.to(memory_format=torch.channels_last)
    precision = Precision(settings.precision, settings.loss_scale, net, device)
    forward = parallel(net, world, settings.batch_norm, settings.compress)
    buffers = [b for b in net.buffers() if b.is_floating_point()]
    moved = [*precision.weights, *buffers]
    average = Average(moved, settings.ema) if settings.ema else None
    slow = Slow(moved, settings.lookahead) if settings.lookahead.every else None
    exchange = forward if isinstance(forward, DistributedDataParallel) else None
    if settings.compile:
        forward = cast(nn.Module, torch.compile(forward, dynamic=False))
    moves = optimizer(net, precision.weights, settings)
    return Training(net, forward, precision, moves, average, settings, slow, exchange)


@torch.no_grad()
def set_whitening(net: nn.Module, split: Split) -> None:
    """Set the filters of a frozen stem from the first train images; the same in every process."""
    for module in net.modules():
        if isinstance(module, Stem) and not module.weight.requires_grad:
            images, _ = split.slice(0, min(len(split), whitening.IMAGES))
            module.weight.copy_(whitening.filters(images, module.kernel_size[0], module.eps))


def warm_up(training: Training, trainset: Trainset, world: World) -> str | None:
    """Compile and record, for each size, over noise with invented labels; no trace of it stays in the weights.

    Returns a word on what was asked for and cannot be had here.
    """
    settings = training.settings
    reason = cuda_graph.why_not(training, world) if settings.cuda_graph else None
    if settings.compile and world.device.type == "cuda":  # a CPU augments a hundred times as fast as it trains
        trainset.make = torch.compile(make, dynamic=False)
    share = settings.batch // (world.size * settings.accumulate)
    for size in sorted({size for _, size in settings.sizes} or {trainset.whole}):
        images = torch.randn(share, 3, size, size, device=world.device).contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(share, dtype=torch.int64, device=world.device)
        if settings.compile:
            compiled(training, images, labels)
            fused(trainset, size, share)
        if settings.cuda_graph and reason is None:
            cuda_graph.record(training, images, labels)
    return f"train.cuda_graph is left out: {reason}" if reason else None


def compiled(training: Training, images: Tensor, labels: Tensor) -> None:
    """Run forward and backward once, and put back what this changes."""
    kept = {name: tensor.clone() for name, tensor in training.net.state_dict().items()}
    training.gradient(images, labels, 1)
    training.net.zero_grad(set_to_none=True)
    training.net.load_state_dict(kept)


def fused(trainset: Trainset, size: int, count: int) -> None:
    """Run the augmentation once, over black images in the shape of the real ones."""
    split, whole = trainset.split, trainset.whole
    black = torch.zeros(len(split), size, size, 3, dtype=torch.uint8, device=split.images.device)
    none = draw(len(split), whole, trainset.augment, 0, 0)
    d = Draws(*(t[:count].to(black.device) for t in none))
    trainset.make(windows(black, trainset.augment), d, trainset.augment, split.mean, split.std, size / whole)
