"""Learning rate and momentum by batch: pure functions of the step, with no torch in them."""

import math
from collections.abc import Sequence

from dawn.config.parts import Schedule


def one_cycle(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """fastai 0.7's ``use_clr_beta``: up to the peak, down again, then an annealing to a hundredth of the start.

    ``pct`` is the share of the annealing, ``div`` the peak over the start; momentum mirrors the rate.
    """
    low, (high, dip) = schedule.peak / schedule.div, schedule.momentum
    half = int(steps * (1 - schedule.pct / 100) / 2)
    if step <= 2 * half and half:
        up = 1 - abs(step - half) / half
        return low * (1 + up * (schedule.div - 1)), high + up * (dip - high)
    done = (step - 2 * half) / (steps - 2 * half)
    return low * (1 - 0.99 * done), high


def annealed(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """A straight line from peak / div to the peak over ``warmup``, a share of the training, then down to ``final``
    times the peak: cosine by half a cosine, linear straight on. Momentum stays at its high.
    """
    first = int(schedule.warmup * steps)
    if step < first:
        return schedule.peak * (1 + (schedule.div - 1) * step / first) / schedule.div, schedule.momentum[0]
    done = (step - first) / (steps - first)
    left = (1 + math.cos(math.pi * done)) / 2 if schedule.kind == "cosine" else 1 - done
    return schedule.peak * (schedule.final + (1 - schedule.final) * left), schedule.momentum[0]


def stairs(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """The peak, times ``factor`` at each milestone, a share of the training; momentum stays at its high."""
    passed = sum(step >= round(share * steps) for share in schedule.milestones)
    return schedule.peak * schedule.factor**passed, schedule.momentum[0]


def rate_and_momentum(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """The learning rate and momentum of batch ``step`` (0 .. steps - 1) of ``steps`` in all."""
    curve = {"one_cycle": one_cycle, "cosine": annealed, "linear": annealed, "step": stairs}[schedule.kind]
    return curve(step, steps, schedule)


def size_at(step: int, steps: int, sizes: Sequence[tuple[float, int]], whole: int) -> int:
    """Height and width of the images of batch ``step``: of the last of ``sizes`` (share of the training, pixels)
    that has begun; ``whole``, the images' own, where none are given.
    """
    return max(((share, size) for share, size in sizes if step >= share * steps), default=(0, whole))[1]
