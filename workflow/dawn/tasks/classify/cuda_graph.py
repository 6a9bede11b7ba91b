"""A training step captured as a CUDA graph and replayed: one launch a step in place of hundreds."""

import copy
from collections.abc import Callable

import torch
from torch import Tensor

from dawn.runtime.distributed import World
from dawn.tasks.classify.step import TrainState

WARM_UP = 3  # steps before the capture, as torch.cuda.graph requires, so that all lazy initialisation is done


def obstacle(world: World) -> str | None:
    """Return why steps cannot be captured here, or None."""
    if world.device.type != "cuda":
        return "the CPU has no CUDA graphs"
    if world.size > 1:
        return f"{world.size} processes exchange gradients; steps are captured for one process only"
    return None


def capture(state: TrainState, images: Tensor, labels: Tensor) -> str | None:
    """Capture the step for batches of the shape of ``images``, which are made up; the weights end as they were.

    The optimizer reads learning rates from the device afterwards. Return why there is no capture, or None: a graph
    would repeat the random numbers of a network that draws some.
    """
    for group in state.optimizer.param_groups:
        if not isinstance(group["lr"], Tensor):
            group["lr"] = torch.tensor(float(group["lr"]), device=images.device)
    saved = copy.deepcopy(state.state_dict())
    images, labels = images.clone(memory_format=torch.preserve_format), labels.clone()
    stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        random = draws_random_numbers(lambda: [state.update([(images, labels)]) for _ in range(WARM_UP)], images.device)
    torch.cuda.current_stream().wait_stream(stream)
    if not random:
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            sums = state.update([(images, labels)])

        def replay(new_images: Tensor, new_labels: Tensor) -> Tensor:
            """Return loss sum and correct predictions of the step on these images."""
            images.copy_(new_images)
            labels.copy_(new_labels)
            graph.replay()
            return sums.clone()

        state.captured[images.shape] = replay
    state.load_state_dict(saved)
    return "the network draws random numbers in every step" if random else None


def draws_random_numbers(work: Callable[[], object], device: torch.device) -> bool:
    """Run ``work`` and return whether it used torch's random numbers on ``device``."""

    def state() -> Tensor:
        return torch.cuda.get_rng_state(device) if device.type == "cuda" else torch.get_rng_state()

    before = state()
    work()
    return not torch.equal(before, state())
