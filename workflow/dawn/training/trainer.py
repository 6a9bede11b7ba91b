"""One training: steps, epochs, validation, checkpoints."""

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from dawn.config.experiment import Experiment
from dawn.data.dataset import Split, Trainset
from dawn.models.whitening import set_whitening
from dawn.results.curve import EpochMetrics
from dawn.results.phases import TRAINING
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, sum_over_processes
from dawn.runtime.streams import torch_seed
from dawn.training import checkpoint
from dawn.training.schedule import Scheduled, Scheduler, image_size
from dawn.training.shutdown import Interrupted, StopRequest
from dawn.training.step import TrainState, check_finite
from dawn.training.validation import validate

CHECK_EVERY = 50  # steps between checks of the loss on a GPU, each of which waits for the device
SAVED = ("step", "trace", "sums", "resumed")  # plain attributes of a Trainer in its checkpoint


class Trainer:
    """A training that is ready to start: ``resume()`` it, then iterate over ``run()``.

    ``curve`` has a row for each epoch, ``trace`` one for each step (step, learning rate, momentum, loss), if asked for.
    ``sums`` are the loss sum and correct predictions of the current epoch on this process.
    """

    def __init__(
        self,
        experiment: Experiment,
        seed: int,
        world: World,
        clock: Clock,
        trainset: Trainset,
        validation: Split,
        state: TrainState,
        directory: Path,
    ) -> None:
        """``validation`` is evaluated between epochs; checkpoints are written to ``directory``."""
        self.experiment, self.seed, self.world, self.clock = experiment, seed, world, clock
        self.trainset, self.validation, self.state, self.directory = trainset, validation, state, directory
        self.steps = max(1, math.ceil(experiment.train.epochs * trainset.steps - 1e-9))  # the last epoch may be cut
        self.scheduler = Scheduler(experiment.train, self.steps, trainset.steps)
        self.step, self.resumed = 0, 0
        self.sums = torch.zeros(2, device=world.device)
        self.curve: list[EpochMetrics] = []
        self.trace: list[list[float]] = []
        self.note: str | None = None  # which setting has no effect here, if any

    def seconds(self) -> float:
        """Return the training time on the clock so far."""
        return sum(self.clock.seconds.get(phase, 0.0) for phase in TRAINING)

    def size(self, step: int) -> int:
        """Return height and width of the images of a step."""
        return image_size(step, self.steps, self.experiment.train.sizes, self.trainset.whole)

    def resume(self) -> bool:
        """Continue from the checkpoint; without one, initialise the whitening layer. Return whether there was one."""
        saved = checkpoint.load(self.directory, self.world.device)
        if saved is None:
            with self.clock.phase("whiten"):
                set_whitening(self.state.net, self.trainset.split)
            return False
        for name in SAVED:
            setattr(self, name, saved[name])
        self.resumed += 1
        self.curve = [EpochMetrics(*row) for row in saved["curve"]]
        self.state.load_state_dict(saved["state"])
        self.clock.restore(saved, *TRAINING, "monitor", "save")
        torch.set_num_threads(saved["threads"])  # of another number, sums on a CPU differ in their last bits
        return True

    def save(self) -> None:
        """Write a checkpoint, on the first process, for all: the others' weights are the same."""
        if self.world.first:
            with self.clock.phase("save"):
                saved: dict[str, Any] = {name: getattr(self, name) for name in SAVED} | self.clock.state()
                saved |= {"curve": [list(vars(row).values()) for row in self.curve], "state": self.state.state_dict()}
                saved |= {"threads": torch.get_num_threads()}
                checkpoint.save(self.directory, saved)

    def run(self, stop: StopRequest) -> Iterator[EpochMetrics]:
        """Train to the end, yielding the metrics of each epoch. Raises Interrupted, after a checkpoint, on request."""
        settings, per_epoch = self.experiment.train, self.trainset.steps
        for epoch in range(self.step // per_epoch, math.ceil(self.steps / per_epoch)):
            start, before = self.step, self.seconds()
            with self.clock.phase("train"):
                self._train(epoch, stop)
            self.curve.append(self._metrics(epoch, (self.step - start) * settings.batch / (self.seconds() - before)))
            yield self.curve[-1]
            self._stop_if(stop)
            if (epoch + 1) % self.experiment.run.save_every == 0 and self.step < self.steps:
                self.save()

    def _train(self, epoch: int, stop: StopRequest) -> None:
        """Run the remaining steps of an epoch."""
        per_epoch = self.trainset.steps
        first, last = self.step % per_epoch, min(per_epoch, self.steps - epoch * per_epoch)
        self.trainset.resize(self.size(self.step))
        for parts in self.trainset.epoch(epoch, self.world, self.experiment.train.accumulate, first, last):
            torch.manual_seed(torch_seed(self.seed, self.step, self.world.rank))
            scheduled = self.scheduler.at(self.step)
            sums = self.state.step(parts, scheduled)
            self.sums += sums
            self.step += 1
            self.state.update_lookahead(self.step, self.steps)
            self._check(sums, scheduled)
            if self.step % per_epoch and self.step < self.steps:  # at the end of an epoch its metrics come first
                self._stop_if(stop)
            self.trainset.resize(self.size(self.step))

    def _check(self, sums: Tensor, scheduled: Scheduled) -> None:
        """After a step: append to the trace, and refuse a loss that is not finite."""
        train, step = self.experiment.train, self.step - 1
        due = self.world.device.type == "cpu" or self.step % min(CHECK_EVERY, self.trainset.steps) == 0
        if not due and not self.experiment.run.trace:
            return
        loss, lr = float(sums[0]) * self.world.size / train.batch, train.schedule.peak * scheduled.lr
        if self.experiment.run.trace:
            self.trace.append([step, lr, scheduled.momentum, loss])
        if due and self.world.first:  # a gradient that is not finite reaches every process within a step
            check_finite(loss, step, lr, self.state.precision.kind)

    def _stop_if(self, stop: StopRequest) -> None:
        """Write a checkpoint and stop, if requested; the other processes end when the first is gone."""
        if stop.requested and self.world.first:
            self.save()
            raise Interrupted

    def _metrics(self, epoch: int, images_per_s: float) -> EpochMetrics:
        """Return the metrics of the epoch that has just ended, validated where that is due."""
        settings, seconds = self.experiment.train, self.seconds()
        images = (self.step - epoch * self.trainset.steps) * settings.batch
        loss, correct = (sum_over_processes(self.sums, self.world) / images).tolist()
        self.sums.zero_()
        validated: tuple[float | None, float | None] = (None, None)
        if (epoch + 1) % settings.monitor_every == 0 or self.step == self.steps:
            with self.clock.phase("monitor"):
                validated = validate(self.state, self.validation, self.world)
        scheduled = self.scheduler.at(self.step - 1)
        return EpochMetrics(
            min(epoch + 1, settings.epochs), loss, 100 * correct, *validated,
            settings.schedule.peak * scheduled.lr, scheduled.momentum, images_per_s, seconds,
        )  # fmt: skip
