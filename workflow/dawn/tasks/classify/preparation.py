"""Before the first step: kernels, compiled code and CUDA graphs for a network in training."""

from importlib import import_module

import torch
from torch import Tensor

from dawn.data.augment import Draws, draw, windows
from dawn.data.dataset import Trainset
from dawn.runtime.distributed import World
from dawn.tasks.classify.step import TrainState


def use_kernels(state: TrainState, world: World) -> str | None:
    """Train with custom kernels. Return why they cannot be had here, or None."""
    kernels = import_module("dawn.kernels.network")  # by name: code of those trainings alone that use it
    try:
        if world.device.type != "cpu" or world.size > 1:
            raise kernels.Unavailable("they are for one process on a CPU")
        state.forward = kernels.with_kernels(state.net, state.precision.kind)
    except kernels.Unavailable as reason:
        return f"train.custom_kernels has no effect: {reason}"
    return None


def warm_up(state: TrainState, trainset: Trainset, world: World) -> str | None:
    """Compile, and capture CUDA graphs, for each size of the images, with noise and made-up labels.

    The weights end as they were. Return what the settings ask for and cannot be had here, or None.
    """
    settings = state.settings
    graphs = import_module("dawn.tasks.classify.cuda_graph") if settings.cuda_graph else None  # by name, as above
    reason = graphs.obstacle(world) if graphs else None
    if settings.compile and world.device.type == "cuda":  # a CPU augments a hundred times as fast as it trains
        trainset.compile()
    count = settings.batch // (world.size * settings.accumulate)
    for size in sorted({size for _, size in settings.sizes} or {trainset.whole}):
        images = torch.randn(count, 3, size, size, device=world.device).contiguous(memory_format=torch.channels_last)
        labels = torch.zeros(count, dtype=torch.int64, device=world.device)
        if settings.compile:
            compile_step(state, images, labels)
            compile_augmentation(trainset, size, count)
        if graphs and reason is None:
            reason = graphs.capture(state, images, labels)
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
