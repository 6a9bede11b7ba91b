"""A classifier as the task of a Trainer: its batches, steps and validation."""

import math
from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from dawn.config.experiment import Experiment
from dawn.data.dataset import MicroBatch, Split, Trainset
from dawn.engine.high_loss import Constant
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, copy_from_first, sum_over_processes
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.optimizer import clear_momentum
from dawn.tasks.classify.schedule import Scheduler, image_size
from dawn.tasks.classify.step import TrainState, check_finite
from dawn.tasks.classify.whitening import set_whitening

BATCH = 500  # images in a forward pass
REMEDY = "lower train.schedule.peak, set train.schedule.warmup_cycle.epochs to 1, or model.bn_init to uniform"


@torch.no_grad()
def validate(state: TrainState, split: Split, world: World) -> tuple[float, float]:
    """Return mean loss and accuracy in percent on a split, of the EMA if there is one.

    Each process evaluates its part of the images; the parts may differ in size, so the plain network runs. Where each
    process has statistics of batch norm of its own, those of the first are used.
    """
    state.net.eval()
    sums = torch.zeros(2, dtype=torch.float64, device=split.labels.device)
    last = len(split) * (world.rank + 1) // world.size
    with state.averaged():
        copy_from_first(state.net.buffers(), world)
        for first in range(len(split) * world.rank // world.size, last, BATCH):
            images, labels = split.slice(first, min(first + BATCH, last))
            logits = state.precision.logits(state.net, state.in_format(images))
            sums[0] += functional.cross_entropy(logits, labels, reduction="sum")
            sums[1] += (logits.argmax(1) == labels).sum()
    state.net.train()
    loss, correct = (sum_over_processes(sums, world) / len(split)).tolist()
    return loss, 100 * correct


class Classifier:
    """The train split, the network in training and the split that it is validated on.

    ``sums`` are the loss sum and correct predictions of the current epoch. They are over all processes after every
    step, so that a checkpoint of the first process has those of all.
    """

    Row = EpochMetrics
    columns: tuple[str, ...] = ("step", "lr", "momentum", "loss")

    def __init__(
        self,
        experiment: Experiment,
        world: World,
        clock: Clock,
        trainset: Trainset,
        validation: Split,
        state: TrainState,
        classes: int,
    ) -> None:
        """``validation`` is evaluated between epochs."""
        self.classes = classes
        self.settings, self.world, self.clock = experiment.train, world, clock
        self.trainset, self.validation, self.state = trainset, validation, state
        self.epochs, self.batch, self.per_epoch = self.settings.epochs, self.settings.batch, trainset.steps
        self.steps = max(1, math.ceil(self.epochs * self.per_epoch - 1e-9))  # the last epoch may be cut
        self.scheduler = Scheduler(self.settings, self.steps, self.per_epoch)
        self.sums = torch.zeros(2, device=world.device)

    @property
    def precision(self) -> str:
        """Return the number format."""
        return self.state.precision.kind

    @property
    def networks(self) -> list[nn.Module]:
        """Return the network in training."""
        return [self.state.net]

    def size(self, step: int) -> int:
        """Return height and width of the images of a step."""
        return image_size(step, self.steps, self.settings.sizes, self.trainset.whole)

    def start(self) -> None:
        """Initialise the whitening layer."""
        with self.clock.phase("whiten"):
            set_whitening(self.state.net, self.trainset.split)

    def batches(self, epoch: int, first: int, last: int) -> Iterator[list[MicroBatch]]:
        """Yield the micro-batches of each of the steps first .. last - 1 of an epoch."""
        step = epoch * self.per_epoch + first
        self.trainset.resize(self.size(step))
        for parts in self.trainset.epoch(epoch, self.world, self.settings.accumulate, first, last):
            yield parts
            step += 1
            self.trainset.resize(self.size(step))

    def step(self, step: int, batch: list[MicroBatch]) -> Tensor:
        """Train on the micro-batches of one step. Return the loss sum and correct predictions, (2,)."""
        if step == self.scheduler.warmup > 0:
            clear_momentum(self.state.optimizer)
        sums = sum_over_processes(self.state.step(batch, self.scheduler.at(step)), self.world)
        self.sums += sums
        self.state.update_lookahead(step + 1, self.steps)
        return sums

    def traced(self, step: int, losses: Tensor) -> list[float]:
        """Return step, learning rate, momentum and the mean loss."""
        scheduled = self.scheduler.at(step)
        return [step, self.settings.schedule.peak * scheduled.lr, scheduled.momentum, float(losses[0]) / self.batch]

    def check_finite(self, row: list[float]) -> None:
        """Raise Diverged if the loss is NaN or infinite."""
        step, lr, _, loss = row
        check_finite(loss, int(step), lr, self.precision)

    @property
    def constant(self) -> Constant:
        """Return the loss of equal probabilities, log(classes), with any label smoothing."""
        return Constant("train_loss", math.log(self.classes), REMEDY)

    def metrics(self, epoch: int, step: int, images_per_s: float, seconds: float) -> EpochMetrics:
        """Return the metrics of the epoch that has just ended, validated where that is due."""
        images = (step - epoch * self.per_epoch) * self.batch
        loss, correct = (self.sums / images).tolist()
        self.sums.zero_()
        validated: tuple[float | None, float | None] = (None, None)
        if (epoch + 1) % self.settings.monitor_every == 0 or step == self.steps:
            with self.clock.phase("monitor"):
                validated = validate(self.state, self.validation, self.world)
        scheduled = self.scheduler.at(step - 1)
        return EpochMetrics(
            min(epoch + 1, self.epochs), loss, 100 * correct, *validated,
            self.settings.schedule.peak * scheduled.lr, scheduled.momentum, images_per_s, seconds,
        )  # fmt: skip

    def finish(self) -> None:
        """Leave the network in fp32 with the weights to evaluate."""
        self.state.finish()

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes from step to step."""
        return {"sums": self.sums, **self.state.state_dict()}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a ``state_dict``."""
        self.sums.copy_(state["sums"])
        self.state.exchange_once(self.size(0))
        self.state.load_state_dict(state)
