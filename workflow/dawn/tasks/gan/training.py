"""A GAN as the task of a Trainer. A step is one of the critic, and one of the generator after it where that is due."""

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from dawn.data.dataset import MicroBatch, Trainset
from dawn.engine.high_loss import Constant
from dawn.engine.shutdown import Diverged
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, mean_over_processes
from dawn.runtime.streams import stream
from dawn.tasks.gan import diff_augment, draws, losses
from dawn.tasks.gan.curve import GanMetrics
from dawn.tasks.gan.samples import buffers_kept, generate, match_batch_norms
from dawn.tasks.gan.schedule import generator_due, multiplier, phase_starts
from dawn.tasks.gan.settings import Gan
from dawn.tasks.gan.state import Draws, GanState

SAMPLES = 64  # made of the same latent vectors along the training
MATCHED = 50  # batches over which the final statistics of batch norm are means


class GanTask:
    """The train split and both networks in training.

    ``sums`` are those of the epoch, of means over the processes: critic loss, real scores, generated scores, generator
    loss. ``progress`` are the samples along the training, each uint8 (64, h, w, 3).
    """

    Row = GanMetrics
    columns: tuple[str, ...] = ("step", "lr", "critic_loss", "generator_loss")

    def __init__(
        self, settings: Gan, seed: int, world: World, clock: Clock, trainset: Trainset, classes: int, state: GanState
    ) -> None:
        self.settings, self.seed, self.world, self.clock = settings, seed, world, clock
        self.trainset, self.classes, self.state = trainset, classes, state
        self.epochs, self.batch, self.per_epoch = settings.epochs, settings.batch, trainset.steps
        self.steps = max(1, math.ceil(self.epochs * self.per_epoch - 1e-9))
        self.due = generator_due(settings, self.steps, self.per_epoch)
        self.starts = phase_starts(settings.phases, self.steps)
        self.sums = torch.zeros(4, device=world.device)
        self.generator_loss = torch.zeros(1, device=world.device)
        self.progress: list[Tensor] = []

    @property
    def precision(self) -> str:
        """Return the number format."""
        return self.state.precisions[0].kind

    @property
    def networks(self) -> list[nn.Module]:
        """Return the networks in training."""
        return [self.state.generator, self.state.critic]

    def start(self) -> None:
        """Nothing is prepared: the initial weights are those of the seed."""

    def batches(self, epoch: int, first: int, last: int) -> Iterator[MicroBatch]:
        """Yield real images from -1 to 1, (b, 3, h, w), and their labels (b,) for the steps first .. last - 1."""
        for parts in self.trainset.epoch(epoch, self.world, 1, first, last):
            yield parts[0]

    def draws(self, network: str, step: int) -> Draws:
        """Return the random numbers of a network's step."""
        settings = self.settings
        count = (settings.generator_batch if network == "generator" else None) or self.batch
        columns = diff_augment.draws_needed(settings.augment)
        drawn = (
            draws.latents(count, settings.generator.latent, self.seed, network, step),
            draws.uniform(count, columns, self.seed, "augment", network, step),
            draws.uniform(count, 1, self.seed, "mix", network, step),
        )
        latents, augment, mix = (draws.part(values, self.world) for values in drawn)
        return Draws(latents, augment, mix[:, 0])

    def step(self, step: int, batch: MicroBatch) -> Tensor:
        """Train the critic, and the generator where that is due. Return the losses of both, (2,); the last ones."""
        real, labels = batch
        if step in self.starts and step > 0:
            self.state.renew_optimizers()
        self.state.set_learning_rates(multiplier(self.settings, step, self.steps))
        due = bool(self.due[step])
        shared = due and self.settings.share_samples
        losses = self.state.critic_step(real, labels, self.draws("critic", step), step, shared)
        if due:
            losses = torch.cat([losses, self.state.generator_step(real, labels, self.draws("generator", step))])
        losses = mean_over_processes(losses, self.world)
        self.sums[: len(losses)] += losses
        if due:
            self.generator_loss = losses[3:]
        return torch.cat([losses[:1], self.generator_loss])

    def traced(self, step: int, losses: Tensor) -> list[float]:
        """Return step, the critic's learning rate and the losses."""
        return [step, self.lr(step), *losses.tolist()]

    def lr(self, step: int) -> float:
        """Return the learning rate of the critic."""
        return self.settings.optimizer.critic_lr * multiplier(self.settings, step, self.steps)

    def check_finite(self, row: list[float]) -> None:
        """Raise Diverged if the loss of a network is NaN or infinite, naming the step and the likely remedy."""
        step, _, *losses = row
        for network, loss in zip(("critic", "generator"), losses, strict=True):
            if not math.isfinite(loss):
                raise Diverged(
                    f"the loss of the {network} is {loss} at step {step:g} ({self.precision}); "
                    f"lower gan.optimizer.{network}_lr, or set gan.precision to bf16 or fp32"
                )

    @property
    def constant(self) -> Constant | None:
        """Return the critic's loss where all its scores and logits are 0; Wasserstein's has no scale."""
        loss = losses.of_constant_score(self.settings.loss)
        if loss is None:
            return None
        loss += self.settings.critic.classifier * math.log(self.classes) + self.settings.penalty.gradient
        return Constant("critic_loss", loss, "lower gan.optimizer.critic_lr and gan.optimizer.generator_lr")

    def metrics(self, epoch: int, step: int, images_per_s: float, seconds: float) -> GanMetrics:
        """Return the metrics of the epoch that has just ended; sample the generator where that is due."""
        first = epoch * self.per_epoch
        count, of_generator = step - first, int(self.due[first:step].sum())
        sums = self.sums.tolist()
        self.sums.zero_()
        if (epoch + 1) % self.settings.samples_every == 0 or step == self.steps:
            with self.clock.phase("monitor"):
                self.progress.append(torch.from_numpy(self.sampled()))
        return GanMetrics(
            min(epoch + 1, self.epochs), int(self.due[:step].sum()),
            sums[0] / count, sums[3] / max(1, of_generator), sums[1] / count, sums[2] / count,
            self.lr(step - 1), images_per_s, seconds,
        )  # fmt: skip

    def sampled(self) -> NDArray[np.uint8]:
        """Return images of the 64 fixed latent vectors, uint8 (64, h, w, 3), by the weights that make the samples."""
        latents = draws.latents(SAMPLES, self.settings.generator.latent, self.seed, "progress")
        with buffers_kept(self.state.generator), self.averaged(8):
            return generate(self.state.generator, latents, np.arange(SAMPLES) % self.classes)

    @contextmanager
    def averaged(self, batches: int) -> Iterator[None]:
        """The EMA, if there is one, in place of the generator's weights, with the batch norms that belong to them."""
        ema = self.state.ema
        if ema is not None:
            ema.swap()
        try:
            self.match(batches)
            yield
        finally:
            if ema is not None:
                ema.swap()

    def match(self, batches: int) -> None:
        """Set the generator's statistics of batch norm to means over so many batches, unless the settings keep them."""
        if self.settings.generator.statistics == "matched":
            match_batch_norms(self.state.generator, self.random_batches(batches))

    def random_batches(self, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield latents (b, latent) and labels (b,) of batches as large as in the training."""
        for i in range(count):
            latents = draws.latents(self.batch, self.settings.generator.latent, self.seed, "batch norm", i)
            labels = stream(self.seed, "batch norm labels", i).integers(0, self.classes, self.batch)
            yield draws.part(latents, self.world), draws.part(labels, self.world)

    def finish(self) -> None:
        """Leave the generator with the weights that make the samples, and the batch norms that belong to them."""
        if self.state.ema is not None:
            self.state.ema.swap()
        self.match(MATCHED)

    def state_dict(self) -> dict[str, Any]:
        """Return all that changes from step to step."""
        state = {"sums": self.sums, "generator_loss": self.generator_loss, "progress": self.progress}
        return state | self.state.state_dict()

    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Continue from a ``state_dict``."""
        self.sums.copy_(state["sums"])
        self.generator_loss = state["generator_loss"]
        self.progress = [images.cpu() for images in state["progress"]]
        self.state.load_state_dict(state)
