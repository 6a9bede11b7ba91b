"""One training, from the start or its last state to the end: epochs, monitoring, states, telling how it goes."""

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn

from dawn import checkpoint
from dawn.batches import Split, Trainset, load
from dawn.config.experiment import Experiment
from dawn.distributed import World, parallel
from dawn.files import read_json
from dawn.interrupt import Interrupt, Interrupted
from dawn.live import Live
from dawn.loop import Clock, Training, check_finite, count, summed
from dawn.nets.build import build
from dawn.optim import Average, Precision, sgd
from dawn.progress import Progress
from dawn.schedule import rate_and_momentum

CHECK_EVERY = 50  # steps between looks at the loss on a GPU, which waits for each look


class Course:
    """How far one training has come, and what it needs to go on.

    ``curve`` has a row an epoch, ``trace`` a row a step (step, rate, momentum, loss). ``totals`` are the running
    epoch's loss sum and right answers of this process; a state keeps the first process's, for every process.
    """

    def __init__(self, experiment: Experiment, data: Path, stats: Path, seed: int, state: Path, world: World) -> None:
        self.experiment, self.seed, self.world, self.directory = experiment, seed, world, state
        self.clock = Clock(world.device)
        settings = experiment.train
        with self.clock.phase("load"):
            self.trainset = Trainset(load(data, stats, "train", world.device), settings.augment, seed, settings.batch)
            self.monitored = "holdout" if experiment.data.holdout else "test"
            self.monitor: Split = load(data, stats, self.monitored, world.device)
        with self.clock.phase("build"):
            self.training = self._prepare(len(read_json(data / "dataset.json")["classes"]))
        if settings.compile:
            with self.clock.phase("compile"):
                self._warm_up()
        self.step, self.resumed = 0, 0
        self.totals = torch.zeros(2, device=world.device)
        self.curve: list[list[float | None]] = []
        self.trace: list[list[float]] = []
        self._resume()

    def _prepare(self, classes: int) -> Training:
        settings, device = self.experiment.train, self.world.device
        net = build(self.experiment.model, classes, self.seed).to(device)
        if settings.channels_last:
            net = net.to(memory_format=torch.channels_last)
        precision = Precision(settings.precision, settings.loss_scale, net, device)
        forward = parallel(net, self.world, settings.batch_norm)
        buffers = [b for b in net.buffers() if b.is_floating_point()]
        average = Average([*precision.weights, *buffers], settings.ema) if settings.ema else None
        if settings.compile:
            forward = cast(nn.Module, torch.compile(forward))
        return Training(net, forward, precision, sgd(precision.weights, settings), average, settings)

    def _warm_up(self) -> None:
        """Compile by one pass over noise with invented labels, and leave no trace of it in the weights."""
        training, settings = self.training, self.experiment.train
        kept = {name: tensor.clone() for name, tensor in training.net.state_dict().items()}
        share = settings.batch // (self.world.size * settings.accumulate)
        noise = torch.randn(share, 3, *self.monitor.images.shape[1:3], device=self.world.device)
        training.gradient(
            noise.contiguous(memory_format=torch.channels_last), torch.zeros_like(noise[:, 0, 0, 0]).long(), 1
        )
        training.net.zero_grad(set_to_none=True)
        training.net.load_state_dict(kept)

    def _resume(self) -> None:
        state = checkpoint.load(self.directory, self.world.device)
        if state is not None:
            self.training.restore(state["training"])
            self.step, self.curve, self.trace = state["step"], state["curve"], state["trace"]
            self.totals, self.resumed = state["totals"], state["resumed"] + 1
            for phase in ("train", "monitor", "save"):
                self.clock.seconds[phase] = state["seconds"].get(phase, 0.0)

    def save(self) -> None:
        """Keep the state; the first process's alone, since the others' are the same."""
        if self.world.first:
            with self.clock.phase("save"):
                names = ("step", "curve", "trace", "totals", "resumed")
                state: dict[str, Any] = {name: getattr(self, name) for name in names}
                checkpoint.save(
                    self.directory,
                    state | {"training": self.training.state(), "seconds": dict(self.clock.seconds)},
                )

    def run(self, interrupt: Interrupt, live: Live | None = None) -> None:
        """Train to the end. Raises Interrupted, its state kept, when asked to stop."""
        settings, per_epoch = self.experiment.train, self.trainset.steps
        done = self.step * settings.batch
        self.progress = Progress(
            f"seed {self.seed}", settings.epochs * per_epoch * settings.batch, done, self.world.first
        )
        self.interrupt, self.live = interrupt, live
        if self.resumed:
            self.progress.line(f"seed {self.seed}  goes on after step {self.step} of {settings.epochs * per_epoch}")
        for epoch in range(self.step // per_epoch, settings.epochs):
            start, before = self.step, self.clock.seconds.get("train", 0.0)
            with self.clock.phase("train"):
                self._epoch(epoch)
            seconds = self.clock.seconds["train"]
            self._record(epoch, (self.step - start) * settings.batch / (seconds - before), seconds)
            self._obey()
            if (epoch + 1) % self.experiment.run.save_every == 0 and epoch + 1 < settings.epochs:
                self.save()
        self.progress.close()

    def _epoch(self, epoch: int) -> None:
        accumulate, start = self.experiment.train.accumulate, self.step % self.trainset.steps
        for parts in self.trainset.epoch(epoch, self.world, accumulate, start):
            if self.training.drops:
                torch.manual_seed(((self.seed << 32) + self.step << 12) % 2**62 + self.world.rank)
            rate, momentum = self.rate_and_momentum(self.step)
            loss = self.training.step(parts, rate, momentum)
            self.totals += loss
            self.step += 1
            self._look(loss, rate, momentum)

    def rate_and_momentum(self, step: int) -> tuple[float, float]:
        """What the schedule says for a step."""
        settings = self.experiment.train
        return rate_and_momentum(step, settings.epochs * self.trainset.steps, settings.schedule)

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
        if self.step % self.trainset.steps:  # else the epoch is over, and its row comes first
            self._obey()

    def _obey(self) -> None:
        """Keep the state and stop, if asked to; the other processes end when the first is gone."""
        if self.interrupt.requested and self.world.first:
            self.save()
            self.progress.close()
            raise Interrupted

    def _record(self, epoch: int, images_per_s: float, seconds: float) -> None:
        """A row of the curve, and a line that says it."""
        images = self.trainset.steps * self.experiment.train.batch
        loss, right = (summed(self.totals, self.world) / images).tolist()
        self.totals.zero_()
        held: tuple[float | None, float | None] = (None, None)
        epochs = self.experiment.train.epochs
        if (epoch + 1) % self.experiment.train.monitor_every == 0 or epoch + 1 == epochs:
            with self.clock.phase("monitor"):
                held = count(self.training, self.monitor, self.world)
        rate, momentum = self.rate_and_momentum(self.step - 1)
        self.curve.append([epoch + 1, loss, 100 * right, *held, rate, momentum, images_per_s, seconds])
        if self.live is not None:
            self.live.epoch(self.curve[-1])
        test = "" if held[1] is None else f"  {self.monitored} {held[1]:5.2f} %"
        place = f"{epoch + 1:>{len(str(epochs))}}/{epochs}"
        self.progress.line(
            f"seed {self.seed}  epoch {place}  loss {loss:.4f}  train {100 * right:5.2f} %{test}"
            f"  lr {rate:.4f}  {images_per_s:,.0f} img/s  {seconds:.1f} s"
        )
