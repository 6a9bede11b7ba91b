"""Which steps of the critic one of the generator follows, and the learning rates: pure functions of the step."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from dawn.tasks.gan.settings import CriticSteps, Gan


def phase_starts(phases: Sequence[tuple[float, float]], steps: int) -> dict[int, float]:
    """Return the first step of each phase and the phase's multiplier of the learning rates."""
    return {round(fraction * steps): multiplier for fraction, multiplier in phases}


def generator_due(settings: Gan, steps: int, per_epoch: int) -> NDArray[np.bool_]:
    """Return for each step of the critic (steps,) whether a step of the generator follows it.

    As in the lesson's notebook: the critic's steps are counted from the last one of the generator, the generator's from
    the start of the phase; one of the generator also follows the last batch of an epoch.
    """
    due = np.zeros(steps, np.bool_)
    starts = phase_starts(settings.phases, steps)
    critic_steps = generator_steps = 0
    for step in range(steps):
        if step in starts:
            critic_steps = generator_steps = 0
        critic_steps += 1
        if critic_steps == needed(settings.critic_steps, generator_steps) or (step + 1) % per_epoch == 0:
            due[step] = True
            critic_steps, generator_steps = 0, generator_steps + 1
    return due


def needed(settings: CriticSteps, generator_step: int) -> int:
    """Return the critic's steps before a step of the generator, whose number in its phase counts from 0."""
    at_start = generator_step < settings.first
    at_times = settings.every and generator_step % settings.every == 0
    return settings.many if at_start or at_times else settings.usual


def multiplier(settings: Gan, step: int, steps: int) -> float:
    """Return what the learning rates of a step are multiplied by: that of its phase, times the decay over all steps."""
    starts = phase_starts(settings.phases, steps)
    phase = starts[max(start for start in starts if start <= step)]
    return phase * (1 - step / steps if settings.optimizer.decay == "linear" else 1.0)
