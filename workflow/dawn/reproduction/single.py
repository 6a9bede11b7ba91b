"""A single published training, which has no interval: whether new ones predict it."""

import math
from collections.abc import Sequence

import numpy as np
from scipy.special import stdtrit

from dawn.config.task import Scale
from dawn.core.cli import InputError
from dawn.report.numbers import count
from dawn.reproduction.analyses import Published
from dawn.results.statistics import BOUNDS
from dawn.studies.comparisons import LEVEL


def single(published: Published, new: Sequence[float], scale: Scale) -> tuple[float, float, bool]:
    """Return the 95 % prediction interval of one more training by the new ones, and whether the published one is in it.

    It is Student's of one further normal value, cut to the range of the measure; of three new seeds or more.
    """
    m = len(new)
    if m < 3:
        raise InputError(f"{count(m, 'new seed')} cannot predict a training; train 3 or more")
    mean, half = (
        float(np.mean(new)),
        -float(stdtrit(m - 1, LEVEL / 2)) * float(np.std(new, ddof=1)) * (1 + 1 / m) ** 0.5,
    )
    least, most = BOUNDS.get(scale, (0.0 if scale == "positive" else -math.inf, math.inf))
    low, high = max(least, mean - half), min(most, mean + half)
    return low, high, low <= published.mean <= high
