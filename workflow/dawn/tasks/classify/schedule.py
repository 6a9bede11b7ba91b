"""Learning rate and momentum of every step: pure functions of the step, with no torch in them.

A schedule gives a multiplier: the learning rate over the one that a group of weights has at the peak, its ``base_lr``.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from dawn.tasks.classify.settings import Schedule, Train, WarmupCycle


@dataclass(frozen=True)
class Scheduled:
    """The scheduled values of one step: multipliers of the learning rates, and the momentum of SGD."""

    lr: float
    momentum: float
    stem_lr: float  # of the bias of a whitening layer


class Scheduler:
    """The schedule of a training of ``steps`` steps, ``per_epoch`` of them in an epoch."""

    def __init__(self, train: Train, steps: int, per_epoch: int) -> None:
        self.schedule, self.steps = train.schedule, steps
        self.warmup = min(round(train.schedule.warmup_cycle.epochs * per_epoch), steps - 1)  # steps of that cycle
        self.stem_steps = None if train.stem_epochs is None else math.ceil(train.stem_epochs * per_epoch)

    def at(self, step: int) -> Scheduled:
        """Return what is scheduled for a step (0 .. steps - 1)."""
        cycle, warmup = self.schedule.warmup_cycle, self.warmup
        if step < warmup:
            lr, momentum = one_cycle(step, warmup, cycle)
            lr *= cycle.peak
        else:
            lr, momentum = multiplier_and_momentum(step - warmup, self.steps - warmup, self.schedule)
        return Scheduled(lr, momentum, lr if self.stem_steps is None else max(0.0, 1 - step / self.stem_steps))


def multiplier_and_momentum(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """Return the multiplier of the learning rate, and the momentum, of a step (0 .. steps - 1) of ``steps``."""
    curve = {"one_cycle": one_cycle, "cosine": decay, "linear": decay, "step": milestones}[schedule.kind]
    return curve(step, steps, schedule)


def one_cycle(step: int, steps: int, schedule: Schedule | WarmupCycle) -> tuple[float, float]:
    """fastai 0.7's ``use_clr_beta``: up to the peak, down again, then an annealing to a hundredth of the start.

    The annealing takes ``pct`` percent of the steps; ``div`` is the peak over the start. Momentum mirrors the learning
    rate of the next step: fastai counts the step between setting the two.
    """
    high, low = schedule.momentum
    half = int(steps * (1 - schedule.pct / 100) / 2)

    def up(at: int) -> float:
        """The height above the start, 1 at the peak."""
        return max(0.0, 1 - abs(at - half) / half) if half else 0.0

    annealed = max(0, step - 2 * half) / (steps - 2 * half) if step > 2 * half or not half else 0.0
    multiplier = (1 + up(step) * (schedule.div - 1) - 0.99 * annealed) / schedule.div
    return multiplier, high + up(step + 1) * (low - high)


def decay(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """A linear warm-up from 1 / ``div`` over the fraction ``warmup`` of the steps, then a decay to ``final``.

    cosine decays by half a cosine, linear by a straight line; momentum keeps its high value.
    """
    first = int(schedule.warmup * steps)
    if step < first:
        return (1 + (schedule.div - 1) * step / first) / schedule.div, schedule.momentum[0]
    done = (step - first) / (steps - first)
    left = (1 + math.cos(math.pi * done)) / 2 if schedule.kind == "cosine" else 1 - done
    return schedule.final + (1 - schedule.final) * left, schedule.momentum[0]


def milestones(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """1, times ``factor`` at each milestone, a fraction of the steps; momentum keeps its high value."""
    passed = sum(step >= round(fraction * steps) for fraction in schedule.milestones)
    return schedule.factor**passed, schedule.momentum[0]


def image_size(step: int, steps: int, sizes: Sequence[tuple[float, int]], full: int) -> int:
    """Return height and width of the images of a step: the last of ``sizes``, (fraction of the steps, pixels), that has
    begun; ``full``, the size of the data set's images, where there are none.
    """
    return max(((start, size) for start, size in sizes if step >= start * steps), default=(0, full))[1]
