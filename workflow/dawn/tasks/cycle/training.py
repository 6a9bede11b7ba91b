"""A CycleGAN as the task of a Trainer. A step trains both generators and then both critics."""

import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from dawn.data.dataset import Trainset
from dawn.engine.high_loss import Constant
from dawn.engine.shutdown import Diverged
from dawn.measures.paired import psnr
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, mean_over_processes
from dawn.tasks.cycle.curve import CycleMetrics
from dawn.tasks.cycle.domains import Images
from dawn.tasks.cycle.layers import memory_format
from dawn.tasks.cycle.settings import Cycle
from dawn.tasks.cycle.state import Batch, CycleState
from dawn.tasks.cycle.translation import translate

SHOWN = 32  # test images of each domain that are translated along the training
MONITORED = 200  # test images of each domain whose translations are compared with the truth along the training


class CycleTask:
    """Both domains and the networks in training.

    ``trainsets`` are those of A and B and, for a training on pairs, those of A in B and of B in A. ``tests`` are the
    test images of A and of B, uint8 (n, h, w, 3), in pairs if ``paired``. ``sums`` are those of the epoch's losses,
    means over the processes. ``progress`` are translations along the training, each uint8 (2 x 32, h, w, 3): into B,
    then into A.
    """

    Row = CycleMetrics
    columns: tuple[str, ...] = ("step", "lr", "adversarial_loss", "cycle_loss", "identity_loss", "critic_loss")

    def __init__(
        self, settings: Cycle, world: World, clock: Clock, trainsets: list[Trainset], tests: list[Images],
        paired: bool, state: CycleState,
    ) -> None:  # fmt: skip
        self.settings, self.world, self.clock = settings, world, clock
        self.trainsets, self.tests, self.paired, self.state = trainsets, tests, paired, state
        self.epochs, self.batch = settings.epochs, settings.batch
        self.per_epoch = max(trainset.steps for trainset in trainsets)
        self.steps = max(1, math.ceil(self.epochs * self.per_epoch - 1e-9))
        self.sums = torch.zeros(4, device=world.device)
        self.progress: list[Tensor] = []

    @property
    def precision(self) -> str:
        """Return the number format."""
        return self.state.precisions[0].kind

    @property
    def networks(self) -> list[nn.Module]:
        """Return the networks in training."""
        return [self.state.nets.module]

    def start(self) -> None:
        """Nothing is prepared: the initial weights are those of the seed."""

    def batches(self, epoch: int, first: int, last: int) -> Iterator[Batch]:
        """Yield images of both domains for the steps first .. last - 1 of an epoch, which is one of the larger domain.

        The passes over the smaller one follow each other without regard to it.
        """
        start = epoch * self.per_epoch
        parts = [endless(trainset, start + first, last - first, self.world) for trainset in self.trainsets]
        for images in zip(*parts, strict=True):
            yield Batch(*images)

    def step(self, step: int, batch: Batch) -> Tensor:
        """Train on one batch. Return the losses, (4,)."""
        losses = self.state.step(batch, step, multiplier(step, self.steps, self.settings.constant))
        losses = mean_over_processes(losses, self.world)
        self.sums += losses
        return losses

    def lr(self, step: int) -> float:
        """Return the learning rate of a step."""
        return self.settings.lr * multiplier(step, self.steps, self.settings.constant)

    def traced(self, step: int, losses: Tensor) -> list[float]:
        """Return step, learning rate and the losses."""
        return [step, self.lr(step), *losses.tolist()]

    def check_finite(self, row: list[float]) -> None:
        """Raise Diverged if a loss is NaN or infinite, naming the step and the likely remedy."""
        for name, loss in zip(self.columns[2:], row[2:], strict=True):
            if not math.isfinite(loss):
                raise Diverged(
                    f"{name} is {loss} at step {row[0]:g} ({self.precision}); "
                    "lower cycle.lr, or set cycle.precision to bf16 or fp32"
                )

    @property
    def constant(self) -> Constant | None:
        """Return the loss of both critics where each gives every patch the score 1/2; None for a training on pairs."""
        return None if self.settings.pairs else Constant("critic_loss", 0.5, "lower cycle.lr")

    def metrics(self, epoch: int, step: int, images_per_s: float, seconds: float) -> CycleMetrics:
        """Return the metrics of the epoch that has just ended; translate test images where that is due."""
        count = step - epoch * self.per_epoch
        adversarial, cycle, identity, critic = (self.sums / count).tolist()
        self.sums.zero_()
        psnr = None
        if (epoch + 1) % self.settings.samples_every == 0 or step == self.steps:
            with self.clock.phase("monitor"):
                psnr = self.monitored()
        return CycleMetrics(
            min(epoch + 1, self.epochs), adversarial, cycle, identity, critic, psnr, self.lr(step - 1), images_per_s,
            seconds,
        )  # fmt: skip

    def monitored(self) -> float | None:
        """Add to ``progress``. Return the PSNR of test images, the mean of both directions; None without pairs."""
        a, b = (images[: MONITORED if self.paired else SHOWN] for images in self.tests)
        in_b, in_a = translate(self.state.nets.to_b, a), translate(self.state.nets.to_a, b)
        self.progress.append(torch.from_numpy(np.concatenate([in_b[:SHOWN], in_a[:SHOWN]])))
        return (psnr(in_b, b) + psnr(in_a, a)) / 2 if self.paired else None

    def finish(self) -> None:
        """The last weights are the result."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes from step to step."""
        return {"sums": self.sums, "progress": self.progress} | self.state.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a ``state_dict``."""
        self.sums.copy_(state["sums"])
        self.progress = [images.cpu() for images in state["progress"]]
        self.state.load_state_dict(state)


def endless(trainset: Trainset, first: int, count: int, world: World) -> Iterator[Tensor]:
    """Yield images (b, 3, h, w) of ``count`` steps from step ``first`` of endless passes over a domain."""
    while count > 0:
        epoch, start = divmod(first, trainset.steps)
        stop = min(trainset.steps, start + count)
        for ((images, _),) in trainset.epoch(epoch, world, 1, start, stop):
            yield images.contiguous(memory_format=memory_format(world.device))
        first, count = first + stop - start, count - (stop - start)


def multiplier(step: int, steps: int, constant: float) -> float:
    """Return what the learning rate is multiplied by: 1 for the fraction ``constant``, then a line to 0 at the end."""
    return min(1.0, (1 - step / steps) / (1 - constant)) if constant < 1 else 1.0
