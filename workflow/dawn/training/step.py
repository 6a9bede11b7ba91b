"""The training step, and the clock beside it."""

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.parallel import DistributedDataParallel

from dawn.config.train import Train
from dawn.core.cli import InputError
from dawn.runtime.distributed import World
from dawn.runtime.precision import Precision
from dawn.training.averaging import Average, Slow
from dawn.training.optimizer import reload, set_rate


@dataclass
class Training:
    """All that moves from step to step. ``net`` holds the weights; ``forward`` runs it, parallel or compiled."""

    net: nn.Module
    forward: nn.Module
    precision: Precision
    optimizer: torch.optim.Optimizer
    average: Average | None
    settings: Train
    slow: Slow | None = None
    exchange: DistributedDataParallel | None = None  # the gradients' exchange inside ``forward``, where there is one
    recorded: dict[torch.Size, Callable[[Tensor, Tensor], Tensor]] = field(default_factory=dict)

    @cached_property
    def drops(self) -> bool:
        """Whether chance has a part in a step: the network has dropout."""
        return any(isinstance(module, nn.Dropout) and module.p for module in self.net.modules())

    def step(
        self, parts: list[tuple[Tensor, Tensor]], rate: float, momentum: float, fading: float | None = None
    ) -> Tensor:
        """One update from a step's micro-batches. Returns, on the device, this process's loss sum and right answers."""
        set_rate(self.optimizer, rate, momentum, fading)
        replay = self.recorded.get(parts[0][0].shape)
        return self.update(parts) if replay is None else replay(*parts[0])

    def update(self, parts: list[tuple[Tensor, Tensor]]) -> Tensor:
        """The work of a step, all of it on the device: gradients, the optimiser, the average."""
        total = torch.zeros(2, device=parts[0][1].device)
        for i, (images, labels) in enumerate(parts):
            with self._quiet() if i < len(parts) - 1 else nullcontext():
                total += self.gradient(images, labels, 1 / len(parts))
        self.precision.update(self.optimizer, self.settings.clip)
        if self.average is not None:
            self.average.update()
        return total

    def gradient(self, images: Tensor, labels: Tensor, weight: float) -> Tensor:
        """Add ``weight`` times the gradient of the mean loss. Returns loss sum and right answers, (2,)."""
        logits = self.precision.logits(self.forward, self.arranged(images))
        loss = functional.cross_entropy(logits, labels, label_smoothing=self.settings.label_smoothing)
        self.precision.backward(loss * weight if weight != 1 else loss)
        with torch.no_grad():
            return torch.stack([loss.detach() * len(labels), (logits.argmax(1) == labels).sum()])

    def arranged(self, images: Tensor) -> Tensor:
        """The images in the memory format of the network; the batches come channels-last."""
        return images if self.settings.channels_last else images.contiguous()

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The averaged weights in the network for a while, where an average is kept."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def finish(self) -> None:
        """Leave the network in fp32 with the weights to judge it by: the averaged, where an average is kept."""
        if self.average is not None:
            self.average.swap()
        self.precision.release()

    def look(self, step: int, steps: int) -> None:
        """After ``step`` of ``steps``: the look back to the slow weights, where it is due."""
        if self.slow is not None and self.slow.update(step, steps):
            self.precision.spread()

    def _swap(self) -> None:
        if self.average is not None:
            self.average.swap()
            self.precision.spread()

    def state(self) -> dict[str, Any]:
        """All of it as tensors and plain values, for a checkpoint."""
        return {
            "net": self.net.state_dict(),
            "weights": [w.detach() for w in self.precision.weights],
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.precision.scaler.state_dict(),
            "means": [kept.means if kept is not None else [] for kept in (self.average, self.slow)],
        }

    @torch.no_grad()
    def restore(self, state: dict[str, Any]) -> None:
        """Become what ``state`` was; tensors that are there already are written over, since a recording reads them."""
        self.net.load_state_dict(state["net"])
        torch._foreach_copy_(self.precision.weights, state["weights"])
        reload(self.optimizer, state["optimizer"])
        self.precision.scaler.load_state_dict(state["scaler"])
        for kept, means in zip((self.average, self.slow), state["means"], strict=True):
            if kept is not None:
                torch._foreach_copy_(kept.means, means)

    def _quiet(self) -> Any:
        """No exchange of gradients until the last micro-batch, also inside a compiled ``forward``."""
        return self.exchange.no_sync() if self.exchange is not None else nullcontext()


def check_finite(total: float, step: int, rate: float, precision: str) -> None:
    """Refuse a loss that is no number, naming the step and the likely remedy."""
    if not math.isfinite(total):
        remedy = "lower train.loss_scale or " if precision == "half" else ""
        raise InputError(
            f"the loss is {total} at step {step} (learning rate {rate:.4g}, {precision}); "
            f"{remedy}lower train.schedule.peak, or set train.clip to 1"
        )


def summed(values: Tensor, world: World) -> Tensor:
    """The sum over all processes."""
    if world.size > 1:
        values = values.clone()
        dist.all_reduce(values)
    return values
