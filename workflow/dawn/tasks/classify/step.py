"""One training step: forward, cross-entropy, backward, update, on all that it changes."""

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from dawn.data.dataset import MicroBatch
from dawn.engine.averaging import EMA
from dawn.engine.shutdown import Diverged
from dawn.runtime.precision import Precision
from dawn.tasks.classify import optimizer
from dawn.tasks.classify.lookahead import Lookahead
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.settings import Train


@dataclass
class TrainState:
    """Everything that changes from step to step.

    ``net`` holds the weights; ``forward`` runs it, in parallel or compiled; ``parallel`` is the module in ``forward``
    that averages gradients over processes, if there are several; ``captured`` holds CUDA graphs by shape of the images.
    """

    net: nn.Module
    forward: nn.Module
    parallel: DistributedDataParallel | None
    precision: Precision
    optimizer: torch.optim.Optimizer
    settings: Train
    ema: EMA | None = None
    lookahead: Lookahead | None = None
    captured: dict[torch.Size, Callable[[Tensor, Tensor], Tensor]] = field(default_factory=dict)

    def step(self, parts: list[MicroBatch], scheduled: Scheduled) -> Tensor:
        """Train on the micro-batches of one step. Return this process's loss sum and correct predictions, (2,)."""
        optimizer.set_learning_rates(self.optimizer, scheduled)
        if scheduled.stem_lr == 0:
            self._freeze_stem()
        replay = self.captured.get(parts[0][0].shape)
        return self.update(parts) if replay is None else replay(*parts[0])

    def _freeze_stem(self) -> None:
        """Compute no more gradients for the bias of a whitening layer, whose learning rate is 0 from now on.

        This changes no number. Not where others count on the gradient: clipping, DDP, compiled code and CUDA graphs.
        """
        if self.parallel is None and not self.settings.compile and not self.captured and self.settings.clip is None:
            for bias in optimizer.stem_biases(self.net):
                bias.requires_grad_(False)

    def update(self, parts: list[MicroBatch]) -> Tensor:
        """The work of a step on the device: gradients, optimizer, EMA. Return as ``step`` does."""
        sums = torch.zeros(2, device=parts[0][1].device)
        for i, (images, labels) in enumerate(parts):
            with self._without_exchange() if i < len(parts) - 1 else nullcontext():
                sums += self.gradient(images, labels, 1 / len(parts))
        self.precision.update(self.optimizer, self.settings.clip)
        if self.ema is not None:
            self.ema.update()
        return sums

    def gradient(self, images: Tensor, labels: Tensor, weight: float) -> Tensor:
        """Add ``weight`` times the gradient of the mean loss. Return loss sum and correct predictions, (2,)."""
        logits = self.precision.logits(self.forward, self.in_format(images))
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)
        self.precision.backward(loss * weight if weight != 1 else loss)
        with torch.no_grad():
            return torch.stack([loss.detach() * len(labels), (logits.argmax(1) == labels).sum()])

    def in_format(self, images: Tensor) -> Tensor:
        """Return channels-last images in the memory format of the network."""
        return images if self.settings.channels_last else images.contiguous()

    def _without_exchange(self) -> AbstractContextManager[None]:
        """Gradients are exchanged after the last micro-batch only, also where ``forward`` is compiled."""
        return self.parallel.no_sync() if self.parallel is not None else nullcontext()

    def update_lookahead(self, step: int, steps: int) -> None:
        """After ``step`` of ``steps``: update the slow weights of Lookahead where it is due."""
        if self.lookahead is not None and self.lookahead.update(step, steps):
            self.precision.copy_to_network()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The EMA in place of the weights while the block runs, if there is one."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        if self.ema is not None:
            self.ema.swap()
            self.precision.copy_to_network()

    def finish(self) -> None:
        """Leave the network in fp32 with the weights to evaluate: the EMA, if there is one."""
        if self.ema is not None:
            self.ema.swap()
        self.precision.release()

    def exchange_once(self, size: int) -> None:
        """Exchange gradients of images of ``size`` pixels and drop them, before the state of another step is loaded.

        After its first exchange DistributedDataParallel orders gradients anew. In another order, sums over three
        processes or more differ in their last bits, so a training that continues must be past it, as others are.
        """
        if self.parallel is not None:
            images = torch.zeros(2, 3, size, size, device=next(self.net.parameters()).device)
            self.precision.backward(0 * self.precision.logits(self.parallel, self.in_format(images)).sum())
            self.net.zero_grad(set_to_none=True)

    def state_dict(self) -> dict[str, Any]:
        """Return everything as tensors and plain values, for a checkpoint."""
        return {
            "net": self.net.state_dict(),
            "weights": [w.detach() for w in self.precision.weights],
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.precision.scaler.state_dict(),
            "means": [average.means if average is not None else [] for average in (self.ema, self.lookahead)],
        }

    @torch.no_grad()
    def load_state_dict(self, state: dict[str, Any]) -> None:
        """Load a ``state_dict``, into the tensors that are there, since captured steps read those."""
        self.net.load_state_dict(state["net"])
        torch._foreach_copy_(self.precision.weights, state["weights"])
        optimizer.restore(self.optimizer, state["optimizer"])
        self.precision.scaler.load_state_dict(state["scaler"])
        for average, means in zip((self.ema, self.lookahead), state["means"], strict=True):
            if average is not None:
                torch._foreach_copy_(average.means, means)


def check_finite(loss: float, step: int, lr: float, precision: str) -> None:
    """Raise Diverged if the loss is NaN or infinite, naming the step and the likely remedy."""
    if not math.isfinite(loss):
        remedy = "lower train.loss_scale or " if precision == "half" else ""
        raise Diverged(
            f"the loss is {loss} at step {step} (learning rate {lr:.4g}, {precision}); "
            f"{remedy}lower train.schedule.peak, or set train.clip to 1"
        )
