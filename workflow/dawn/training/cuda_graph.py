"""A training step recorded once as a CUDA graph and replayed: the host launches one thing a step, not hundreds."""

import copy

import torch
from torch import Tensor

from dawn.runtime.distributed import World
from dawn.training.step import Training

WARM = 3  # steps before the recording, as torch.cuda.graph asks for, so that all lazy work has been done


def why_not(training: Training, world: World) -> str | None:
    """What keeps a step from being recorded here, or None."""
    if world.device.type != "cuda":
        return "the CPU has no CUDA graphs"
    if world.size > 1:
        return f"{world.size} processes exchange gradients, and only one process's steps are recorded"
    return "dropout is drawn anew for each step" if training.drops else None


def record(training: Training, images: Tensor, labels: Tensor) -> None:
    """Airbench the step for batches of the shape of ``images``, invented ones, and leave no trace of it in the weights.

    The optimiser reads its rates from the device from now on, where ``set_rate`` writes them before each replay.
    """
    for group in training.optimizer.param_groups:
        if not isinstance(group["lr"], Tensor):
            group["lr"] = torch.tensor(float(group["lr"]), device=images.device)
    kept = copy.deepcopy(training.state())
    images, labels = images.clone(memory_format=torch.preserve_format), labels.clone()
    side = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    side.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(side):
        for _ in range(WARM):
            training.update([(images, labels)])
    torch.cuda.current_stream().wait_stream(side)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        total = training.update([(images, labels)])
    training.restore(kept)

    def replay(new_images: Tensor, new_labels: Tensor) -> Tensor:
        """Loss sum and right answers of the step on these images."""
        images.copy_(new_images)
        labels.copy_(new_labels)
        graph.replay()
        return total.clone()

    training.recorded[images.shape] = replay
