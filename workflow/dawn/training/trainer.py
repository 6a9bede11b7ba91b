"""One training, from the start or its last state to the end: epochs, monitoring, states, telling how it goes."""

import math
from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import Experiment, check_world
from dawn.core.files import read_json
from dawn.data.dataset import Trainset, load
from dawn.monitoring.live import Live
from dawn.monitoring.progress import Progress
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.runtime.streams import torch_seed
from dawn.training import checkpoint
from dawn.training.optimizer import fading
from dawn.training.schedule import rate_and_momentum, size_at
from dawn.training.setup import prepare, set_whitening, warm_up
from dawn.training.shutdown import Interrupt, Interrupted
from dawn.training.step import check_finite, summed
from dawn.training.validation import count

TIMED = ("whiten", "train")  # the phases of the clock; the others are told beside it
CHECK_EVERY = 50  # steps between looks at the loss on a GPU, which waits for each look


class Trainer:
    """How far one training has come, and what it needs to go on.

    ``curve`` has a row an epoch, ``trace`` a row a step (step, rate, momentum, loss). ``totals`` are the running
    epoch's loss sum and right answers of this process; a state keeps the first process's, for every process.
    """

    def __init__(
        self, experiment: Experiment, data: Path, stats: Path, seed: int, state: Path, world: World,
        clock: Clock | None = None,
    ) -> None:  # fmt: skip
        self.experiment, self.seed, self.world, self.directory = experiment, seed, world, state
        self.clock = clock or Clock(world.device)
        settings = experiment.train
        check_world(settings, world.size)
        with self.clock.phase("load"):
            self.trainset = Trainset(load(data, stats, "train", world.device), settings.augment, seed, settings.batch)
            self.monitored = "holdout" if experiment.data.holdout else "test"
            monitor = load(data, stats, self.monitored, world.device)
            self.monitor = monitor.at(settings.sizes[-1][1]) if settings.sizes else monitor
        with self.clock.phase("build"):
            classes = len(read_json(data / "dataset.json")["classes"])
            self.training = prepare(experiment, classes, self.trainset.whole, seed, world)
        self.word: str | None = None
        if settings.compile or settings.cuda_graph:
            with self.clock.phase("compile"):
                self.word = warm_up(self.training, self.trainset, world)
        self.step, self.resumed = 0, 0
        self.totals = torch.zeros(2, device=world.device)
        self.curve: list[list[float | None]] = []
        self.trace: list[list[float]] = []
        self._resume()

    @property
    def steps(self) -> int:
        """Updates in the whole training; the last epoch is cut short where ``epochs`` is no whole number."""
        return max(1, math.ceil(self.experiment.train.epochs * self.trainset.steps - 1e-9))

    def seconds(self) -> float:
        """What counts as training time so far."""
        return sum(self.clock.seconds.get(phase, 0.0) for phase in TIMED)

    def _resume(self) -> None:
        state = checkpoint.load(self.directory, self.world.device)
        if state is None:
            with self.clock.phase("whiten"):
                set_whitening(self.training.net, self.trainset.split)
        else:
            self.training.restore(state["training"])
            self.step, self.curve, self.trace = state["step"], state["curve"], state["trace"]
            self.totals, self.resumed = state["totals"], state["resumed"] + 1
            self.clock.restore(state, *TIMED, "monitor", "save")

    def save(self) -> None:
        """Keep the state; the first process's alone, since the others' are the same."""
        if self.world.first:
            with self.clock.phase("save"):
                names = ("step", "curve", "trace", "totals", "resumed")
                state: dict[str, Any] = {name: getattr(self, name) for name in names}
                checkpoint.save(self.directory, state | self.clock.state() | {"training": self.training.state()})

    def run(self, interrupt: Interrupt, shown: bool = True, live: Live | None = None) -> None:
        """Train to the end; raises Interrupted, its state kept, when asked to stop. Tells how it goes if ``shown``."""
        settings, per_epoch = self.experiment.train, self.trainset.steps
        batch, first = settings.batch, self.world.first
        self.progress = Progress(f"seed {self.seed}", self.steps * batch, self.step * batch, first and shown)
        self.interrupt, self.live = interrupt, live
        if self.word:
            self.progress.line(f"seed {self.seed}  {self.word}")
        if self.resumed:
            self.progress.line(f"seed {self.seed}  goes on after step {self.step} of {self.steps}")
        for epoch in range(self.step // per_epoch, math.ceil(self.steps / per_epoch)):
            start, before = self.step, self.seconds()
            with self.clock.phase("train"):
                self._epoch(epoch)
            self._record(epoch, (self.step - start) * batch / (self.seconds() - before))
            self._obey()
            if (epoch + 1) % self.experiment.run.save_every == 0 and self.step < self.steps:
                self.save()
        self.progress.close()

    def _epoch(self, epoch: int) -> None:
        settings, per_epoch = self.experiment.train, self.trainset.steps
        start, stop = self.step % per_epoch, min(per_epoch, self.steps - epoch * per_epoch)
        self.trainset.resize(self.size(self.step))
        for parts in self.trainset.epoch(epoch, self.world, settings.accumulate, start, stop):
            torch.manual_seed(torch_seed(self.seed, self.step, self.world.rank))
            rate, momentum = self.rate_and_momentum(self.step)
            loss = self.training.step(parts, rate, momentum, fading(self.step, per_epoch, settings))
            self.totals += loss
            self.step += 1
            self.training.look(self.step, self.steps)
            self._look(loss, rate, momentum)
            self.trainset.resize(self.size(self.step))

    def size(self, step: int) -> int:
        """Height and width of the images of a step."""
        return size_at(step, self.steps, self.experiment.train.sizes, self.trainset.whole)

    def rate_and_momentum(self, step: int) -> tuple[float, float]:
        """What the schedule says for a step."""
        return rate_and_momentum(step, self.steps, self.experiment.train.schedule)

    def _look(self, loss: torch.Tensor, rate: float, momentum: float) -> None:
        """After a step: the trace, the bar, a loss that is no number, a wish to stop."""
        train, step = self.experiment.train, self.step - 1
        if self.experiment.run.trace:
            self.trace.append([step, rate, momentum, float(loss[0]) * self.world.size / train.batch])
        self.progress.advance(train.batch)
        shown = self.progress.due()
        if shown or self.world.device.type == "cpu" or self.step % min(CHECK_EVERY, self.trainset.steps) == 0:
            value = float(loss[0]) * self.world.size / train.batch
            if self.world.first:  # a gradient that is no number reaches every process within a step
                check_finite(value, step, rate, self.training.precision.kind)
            if shown:
                self.progress.show(value, rate)
        if (
            self.step % self.trainset.steps and self.step < self.steps
        ):  # else the epoch is over, and its row comes first
            self._obey()

    def _obey(self) -> None:
        """Keep the state and stop, if asked to; the other processes end when the first is gone."""
        if self.interrupt.requested and self.world.first:
            self.save()
            self.progress.close()
            raise Interrupted

    def _record(self, epoch: int, images_per_s: float) -> None:
        """A row of the curve, and a line that says it."""
        settings, seconds = self.experiment.train, self.seconds()
        images = (self.step - epoch * self.trainset.steps) * settings.batch
        loss, right = (summed(self.totals, self.world) / images).tolist()
        self.totals.zero_()
        held: tuple[float | None, float | None] = (None, None)
        if (epoch + 1) % settings.monitor_every == 0 or self.step == self.steps:
            with self.clock.phase("monitor"):
                held = count(self.training, self.monitor, self.world)
        rate, momentum = self.rate_and_momentum(self.step - 1)
        number = min(epoch + 1, settings.epochs)
        self.curve.append([number, loss, 100 * right, *held, rate, momentum, images_per_s, seconds])
        if self.live is not None:
            self.live.epoch(self.curve[-1])
        test = "" if held[1] is None else f"  {self.monitored} {held[1]:5.2f} %"
        place = f"{number:>{len(str(settings.epochs))}}/{settings.epochs}"
        self.progress.line(
            f"seed {self.seed}  epoch {place}  loss {loss:.4f}  train {100 * right:5.2f} %{test}"
            f"  lr {rate:.4f}  {images_per_s:,.0f} img/s  {seconds:.1f} s"
        )
