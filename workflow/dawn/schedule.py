"""Learning rate and momentum by batch: pure functions of the step, with no torch in them."""

import math

from dawn.config.sections import Schedule


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


def cosine(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """Half a cosine from the peak to ``final`` times the peak; momentum stays at its high."""
    share = (1 + math.cos(math.pi * step / steps)) / 2
    return schedule.peak * (schedule.final + (1 - schedule.final) * share), schedule.momentum[0]


def linear(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """A straight line from the peak to ``final`` times the peak; momentum stays at its high."""
    return schedule.peak * (1 + (schedule.final - 1) * step / steps), schedule.momentum[0]


def stairs(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """The peak, times ``factor`` at each milestone, a share of the training; momentum stays at its high."""
    passed = sum(step >= round(share * steps) for share in schedule.milestones)
    return schedule.peak * schedule.factor**passed, schedule.momentum[0]


def rate_and_momentum(step: int, steps: int, schedule: Schedule) -> tuple[float, float]:
    """The learning rate and momentum of batch ``step`` (0 .. steps - 1) of ``steps`` in all."""
    curve = {"one_cycle": one_cycle, "cosine": cosine, "linear": linear, "step": stairs}[schedule.kind]
    return curve(step, steps, schedule)
