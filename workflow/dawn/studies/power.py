"""How many seeds a comparison needs, and how small a difference a number of seeds can detect."""

import math
from functools import lru_cache

import numpy as np
from scipy import stats
from scipy.special import ndtr

from dawn.studies.sequential import PLANNED

POWER = 0.8  # chance to detect the difference that matters
MOST = 10_000  # seeds
NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)


def power(n: int, std: float, size: float, paired: bool, level: float = PLANNED) -> float:
    """The chance that a two-sided t-test of ``n`` seeds a variant finds a true difference of ``size``.

    ``std`` is that of the difference of one seed. With the estimated standard deviation at s times the true one, the
    statistic is normal around size sqrt(n) / (s std): the chance is the mean of the normal tails over the distribution
    of s, chi with ``freedom`` degrees over sqrt(freedom). SciPy's noncentral t is NaN for part of these arguments
    (scipy issue 25106).
    """
    freedom = n - 1 if paired else 2 * n - 2
    shift, edge = size * math.sqrt(n) / std, float(stats.t.isf(level / 2, freedom))
    s, weights = spreads(freedom)
    return float(weights @ (ndtr(shift - edge * s) + ndtr(-shift - edge * s)))


@lru_cache(maxsize=256)
def spreads(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes s of an estimated over the true standard deviation, and weights, (100,) each, to integrate over them."""
    low, high = stats.chi.ppf(1e-14, freedom), stats.chi.isf(1e-14, freedom)
    x = low + (high - low) * (NODES + 1) / 2
    return x / math.sqrt(freedom), WEIGHTS * (high - low) / 2 * stats.chi.pdf(x, freedom)


def seeds_needed(std: float, size: float, paired: bool, level: float = PLANNED) -> int | None:
    """The fewest seeds a variant that detect a difference of ``size`` with a chance of 80 %; None above 10,000."""
    low, high = 1, 2
    while power(high, std, size, paired, level) < POWER:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, std, size, paired, level) >= POWER else (middle, high)
    return high


def detectable(n: int, std: float, paired: bool, level: float = PLANNED) -> float:
    """The smallest true difference that ``n`` seeds a variant detect with a chance of 80 %."""
    low, high = 0.0, std
    while power(n, std, high, paired, level) < POWER:
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, std, middle, paired, level) >= POWER else (middle, high)
    return high
