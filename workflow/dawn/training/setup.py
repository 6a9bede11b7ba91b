"""From the settings of an experiment to a Trainer that can start: load, build, compile, capture."""

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from dawn.config.experiment import Experiment, check_world
from dawn.core.files import read_json
from dawn.data.augment import Draws, draw, windows
from dawn.data.dataset import Trainset, load
from dawn.models.build import build, check_output
from dawn.models.kernels.compiled import Unavailable
from dawn.models.kernels.network import with_kernels
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, parallel
from dawn.runtime.precision import Precision
from dawn.training import cuda_graph
from dawn.training.averaging import EMA, Lookahead
from dawn.training.checkpoint import Checkpoints
from dawn.training.classifier import Classifier
from dawn.training.optimizer import make_optimizer
from dawn.training.step import TrainState
from dawn.training.trainer import Trainer


def set_up(
    experiment: Experiment, data: Path, stats: Path, seed: int, root: Path | None, world: World, clock: Clock
) -> Trainer[Classifier]:
    """Return a Trainer with the arrays in ``data`` on the device, its network built and compiled.

    Its checkpoints are below ``root``, or nowhere; ``Trainer.resume`` comes next.
    """
    settings = experiment.train
    check_world(settings, world.size)
    with clock.phase("load"):
        trainset = Trainset(load(data, stats, "train", world.device), settings.augment, seed, settings.batch)
        validation = load(data, stats, experiment.data.monitored, world.device)
        if settings.sizes:
            validation = validation.at(settings.sizes[-1][1])
    with clock.phase("build"):
        classes = len(read_json(data / "dataset.json")["classes"])
        state = build_state(experiment, classes, trainset.whole, seed, world)
    task = Classifier(experiment, world, clock, trainset, validation, state)
    checkpoints = Checkpoints.of(root, "train", experiment, seed, world, data, stats)
    trainer = Trainer(experiment, seed, world, clock, task, checkpoints)
    if settings.compile or settings.cuda_graph:
        with clock.phase("compile"):
            trainer.note = warm_up(state, trainset, world)
    if settings.custom_kernels:
        with clock.phase("compile"):
            trainer.note = use_kernels(state, world) or trainer.note
    return trainer


def build_state(experiment: Experiment, classes: int, size: int, seed: int, world: World) -> TrainState:
    """Return the network on the device with its optimizer and averages; ``size`` is that of the images in pixels."""
    settings, device = experiment.train, world.device
    net = build(experiment.model, classes, seed)
    for pixels in {side for _, side in settings.sizes} or {size}:
        check_output(net, classes, pixels)
    net = net.to(device)
    if settings.channels_last:
        net = net.to(memory_format=torch.channels_last)
    precision = Precision(settings.precision, settings.loss_scale, net, device)
    forward = parallel(net, world, settings.batch_norm, settings.compress)
    exchange = forward if isinstance(forward, DistributedDataParallel) else None
    if settings.compile:
        forward = cast(nn.Module, torch.compile(forward, dynamic=False))
    averaged = [*precision.weights, *(b for b in net.buffers() if b.is_floating_point())]
    return TrainState(
        net, forward, exchange, precision, make_optimizer(net, precision.weights, settings), settings,
        EMA(averaged, settings.ema) if settings.ema else None,
        Lookahead(averaged, settings.lookahead) if settings.lookahead.every else None,
    )  # fmt: skip


def use_kernels(state: TrainState, world: World) -> str | None:
    """Train with custom kernels. Return why they cannot be had here, or None."""
    try:
        if world.device.type != "cpu" or world.size > 1:
            raise Unavailable("they are for one process on a CPU")
        state.forward = with_kernels(state.net, state.precision.kind)
    except Unavailable as reason:
        return f"train.custom_kernels has no effect: {reason}"
    return None


def warm_up(state: TrainState, trainset: Trainset, world: World) -> str | None:
    """Compile, and capture CUDA graphs, for each size of the images, with noise and made-up labels.

    The weights end as they were. Return what the settings ask for and cannot be had here, or None.
    """
    settings = state.settings
    reason = cuda_graph.obstacle(world) if settings.cuda_graph else None
    if settings.compile and world.device.type == "cuda":  # a CPU augments a hundred times as fast as it trains
        trainset.compile()
    count = settings.batch // (world.size * settings.accumulate)
    for size in sorted({size for _, size in settings.sizes} or {trainset.whole}):
        images = torch.randn(count, 3, size, size, device=world.device).contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(count, dtype=torch.int64, device=world.device)
        if settings.compile:
            compile_step(state, images, labels)
            compile_augmentation(trainset, size, count)
        if settings.cuda_graph and reason is None:
            reason = cuda_graph.capture(state, images, labels)
    return f"train.cuda_graph has no effect: {reason}" if reason else None


def compile_step(state: TrainState, images: Tensor, labels: Tensor) -> None:
    """Run forward and backward once, and restore what this changes."""
    saved = {name: tensor.clone() for name, tensor in state.net.state_dict().items()}
    state.gradient(images, labels, 1)
    state.net.zero_grad(set_to_none=True)
    state.net.load_state_dict(saved)


def compile_augmentation(trainset: Trainset, size: int, count: int) -> None:
    """Augment black images in the shape of the real ones once."""
    split = trainset.split
    black = torch.zeros(len(split), size, size, 3, dtype=torch.uint8, device=split.images.device)
    draws = draw(len(split), trainset.augment, 0, 0)
    some = Draws(*(t[:count].to(black.device) for t in draws))
    trainset.make(windows(black, trainset.augment), some, trainset.augment, split.mean, split.std)
