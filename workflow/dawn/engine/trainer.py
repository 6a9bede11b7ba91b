"""One training: steps, epochs, checkpoints, interruption. What is trained is its task, such as a classifier."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import astuple
from pathlib import Path
from typing import Annotated, Any, Generic, Protocol, TypeVar

import torch
from pydantic import Field, StrictStr
from torch import Tensor, nn

from dawn.config.experiment import Experiment
from dawn.config.records import RanOn, Record
from dawn.core import out_of_memory
from dawn.core.cli import InputError
from dawn.core.files import require_room
from dawn.core.reading import Count, Positive, checked
from dawn.engine.checkpoint import Checkpoints, checksum, size
from dawn.engine.high_loss import Constant, high_loss
from dawn.engine.shutdown import Interrupted, StopRequest
from dawn.results.phases import TRAINING
from dawn.results.provenance import distinct, here
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, sum_over_processes
from dawn.runtime.streams import torch_seed

CHECK_EVERY = 50  # steps of an epoch between checks of the losses on a GPU, each of which waits for the device
# plain attributes of a Trainer in its checkpoint
SAVED = ("step", "trace", "resumed", "after_first_step", "weights", "ran_on")


class Task(Protocol):
    """The training that a Trainer runs. Random numbers are functions of the seed, the epoch and the step.

    ``Row`` is the dataclass of the metrics of an epoch, ``columns`` name the values of a row of the trace, ``epochs``
    may be a fraction, ``batch`` is the number of images in a step, ``steps`` are those of the whole training and
    ``per_epoch`` those of an epoch. ``precision`` is the number format, ``networks`` are those in training.
    """

    Row: type[Any]
    columns: tuple[str, ...]
    epochs: float
    batch: int
    steps: int
    per_epoch: int

    @property
    def precision(self) -> str:
        """Return the number format."""

    @property
    def networks(self) -> Sequence[nn.Module]:
        """Return the networks in training."""

    def start(self) -> None:
        """Prepare a training that starts, and does not continue."""

    def batches(self, epoch: int, first: int, last: int) -> Iterator[Any]:
        """Yield what each of the steps first .. last - 1 of an epoch trains on."""

    def step(self, step: int, batch: Any) -> Tensor:
        """Train on one batch. Return its losses over all processes, on the device."""

    def traced(self, step: int, losses: Tensor) -> list[float]:
        """Return a row of the trace."""

    def check_finite(self, row: list[float]) -> None:
        """Raise Diverged, with a remedy, for a row of the trace with a loss that is NaN or infinite."""

    @property
    def constant(self) -> Constant | None:
        """Return the loss of networks with a constant output, or None where it has no scale."""

    def metrics(self, epoch: int, step: int, images_per_s: float, seconds: float) -> Any:
        """Return the metrics of the epoch that ended with so many steps of the training."""

    def finish(self) -> None:
        """Leave the networks with the weights that are the result, after the last step, in every process."""

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes from step to step, as tensors and plain values."""

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a ``state_dict``."""


class Saved(Record):
    """What every training saves in a checkpoint, besides what its task does."""

    step: Count
    trace: list[list[float]]
    resumed: Count
    after_first_step: StrictStr | None
    ran_on: list[RanOn]
    weights: list[StrictStr]
    seconds: dict[str, Positive]
    joules: dict[str, Positive | None]
    curve: list[list[float | None]]
    task: dict[str, Any]
    threads: Annotated[int, Field(ge=1, le=1 << 16)]


T = TypeVar("T", bound=Task)


class Trainer(Generic[T]):
    """A training that is ready to start: ``resume()`` it, then iterate over ``run()``.

    ``curve`` has a row for each epoch, ``trace`` one for each step, if asked for. ``first_step`` is the step at which
    this process began, 0 unless it continues from a checkpoint; ``resumed`` is how often the training continued.
    ``after_first_step`` is a checksum of all that the first step of the training changed: trainings that share it share
    steps, so they are not independent of each other. ``weights`` are checksums of the networks: the initial ones, after
    the first step, and after each epoch. They say where another training with these settings first differs from this.
    """

    def __init__(
        self, experiment: Experiment, seed: int, world: World, clock: Clock, task: T, checkpoints: Checkpoints | None
    ) -> None:
        """Without ``checkpoints`` none is written, and the training starts at its first step."""
        self.experiment, self.seed, self.world, self.clock = experiment, seed, world, clock
        self.task, self.checkpoints = task, checkpoints
        self.step, self.first_step, self.resumed = 0, 0, 0
        self.after_first_step: str | None = None
        self.weights: list[str] = []  # checksums: the initial ones, after the first step, after each epoch
        self.ran_on: list[dict[str, Any]] = []  # as RanOn, of the first process until a checkpoint
        self.curve: list[Any] = []
        self.trace: list[list[float]] = []
        self.note: str | None = None  # which setting has no effect here, if any

    def seconds(self) -> float:
        """Return the training time on the clock so far."""
        return sum(self.clock.seconds.get(phase, 0.0) for phase in TRAINING)

    def high_loss(self) -> dict[str, Any] | None:
        """Return the first epoch whose loss is far too high, if there is one."""
        return high_loss(self.curve, self.task.epochs, self.task.constant)

    def resume(self) -> bool:
        """Continue from the checkpoint; without one, prepare the start. Return whether there was one.

        Raises an InputError for the checkpoint of another seed, or of other settings, data or code.
        """
        saved = None
        if self.checkpoints:
            number = torch.tensor(self.checkpoints.take() if self.world.first else 0, device=self.world.device)
            self.checkpoints.use(int(sum_over_processes(number, self.world)))  # that of the first process, in all
            saved = self.checkpoints.load(self.world.device)
        if saved is None or self.checkpoints is None:
            self.task.start()
            self._note()
            return False
        try:
            self._continue(saved)
        except (
            LookupError,
            TypeError,
            ValueError,
            AttributeError,
            RuntimeError,
            InputError,
        ) as error:  # as a task's parts raise
            out_of_memory.pass_on(error)
            raise self.checkpoints.misfit(error) from error
        return True

    def _continue(self, saved: dict[str, Any]) -> None:
        checked(saved, "it", Saved, "")
        for name in SAVED:
            setattr(self, name, saved[name])
        if not 0 <= self.step <= self.task.steps:
            raise ValueError(f"step {self.step} of {self.task.steps}")
        self.first_step = self.step
        self.resumed += 1
        self.curve = [self.task.Row(*row) for row in saved["curve"]]
        self.task.load_state_dict(saved["task"])
        self.clock.restore(saved, *TRAINING, "monitor", "save")
        torch.set_num_threads(saved["threads"])  # of another number, sums on a CPU differ in their last bits

    def require_room(self, out: Path) -> None:
        """Raise an InputError where checkpoints, or the weights in ``out``, cannot be written."""
        if self.world.first and self.checkpoints:  # three at once: the last, the one before, and the next
            require_room(self.checkpoints.directory, size(self.task.state_dict()) * (1 if self.first_step else 3))
        if self.world.first:
            require_room(out, sum(size(net.state_dict()) for net in self.task.networks))

    def save(self) -> None:
        """Write a checkpoint, on the first process, for all: the others' weights are the same."""
        if self.world.first and self.checkpoints:
            with self.clock.phase("save"):
                self.ran_on = distinct([*self.ran_on, here()])
                saved: dict[str, Any] = {name: getattr(self, name) for name in SAVED} | self.clock.state()
                saved |= {"curve": [list(astuple(row)) for row in self.curve], "task": self.task.state_dict()}
                saved |= {"threads": torch.get_num_threads()}
                self.checkpoints.save(saved)

    def delete_checkpoint(self) -> None:
        """Delete the checkpoint of a finished training."""
        if self.world.first and self.checkpoints:
            self.checkpoints.delete()

    def run(self, stop: StopRequest, keep_checkpoint: bool = False) -> Iterator[Any]:
        """Train to the end, yielding the metrics of each epoch. Raises Interrupted, after a checkpoint, on request.

        At the end the checkpoint is deleted. A caller that writes files of the result passes ``keep_checkpoint`` and
        calls ``delete_checkpoint`` after that, so that being killed in between costs at most ``run.save_every`` epochs.
        """
        task = self.task
        for epoch in range(self.step // task.per_epoch, math.ceil(task.steps / task.per_epoch)):
            start, before = self.step, self.seconds()
            with self.clock.phase("train"):
                self._train(epoch, stop)
            self._note()
            seconds = self.seconds()
            speed = (self.step - start) * task.batch / (seconds - before)
            self.curve.append(task.metrics(epoch, self.step, speed, seconds))
            yield self.curve[-1]
            self._stop_if(stop)
            if (epoch + 1) % self.experiment.run.save_every == 0 and self.step < task.steps:
                self.save()
        if not keep_checkpoint:
            self.delete_checkpoint()

    def _train(self, epoch: int, stop: StopRequest) -> None:
        """Run the remaining steps of an epoch."""
        per_epoch, steps = self.task.per_epoch, self.task.steps
        first, last = self.step % per_epoch, min(per_epoch, steps - epoch * per_epoch)
        for batch in self.task.batches(epoch, first, last):
            torch.manual_seed(torch_seed(self.seed, self.step, self.world.rank))
            losses = self.task.step(self.step, batch)
            self.step += 1
            if self.step == 1 and self.world.first:
                self._note()
                with self.clock.phase("save"):
                    self.after_first_step = checksum(self.task.state_dict())
            self._check(losses)
            if self.step % per_epoch and self.step < steps:  # at the end of an epoch its metrics come first
                self._stop_if(stop)

    def _note(self) -> None:
        """Append a checksum of the networks, excluded from the clock."""
        if self.world.first:
            with self.clock.phase("save"):
                self.weights.append(checksum([net.state_dict() for net in self.task.networks]))

    def _check(self, losses: Tensor) -> None:
        """After a step: append to the trace, and refuse a loss that is not finite."""
        in_epoch = self.step % self.task.per_epoch
        due = self.world.device.type == "cpu" or in_epoch % CHECK_EVERY == 0 or self.step == self.task.steps
        if not due and not self.experiment.run.trace:
            return
        row = self.task.traced(self.step - 1, losses)
        if self.experiment.run.trace:
            self.trace.append(row)
        if due and self.world.first:  # a gradient that is not finite reaches every process within a step
            self.task.check_finite(row)

    def _stop_if(self, stop: StopRequest) -> None:
        """Write a checkpoint and stop, if requested; the other processes end when the first is gone."""
        if stop.requested and self.world.first:
            self.save()
            if self.checkpoints:
                self.checkpoints.release()
            raise Interrupted
