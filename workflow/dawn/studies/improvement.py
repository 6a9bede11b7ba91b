"""The probability of improvement: how likely a seed of one variant is better than a seed of another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import optimize, stats

NORMAL = float(stats.norm.isf(0.025))
SMALL = 1e-9


@dataclass(frozen=True)
class Probability:
    """A probability in 0 .. 1 with its 95 % interval."""

    value: float
    low: float
    high: float


def improvement(base: Sequence[float], other: Sequence[float], higher: bool) -> Probability | None:
    """P(other better than base) + P(equal) / 2 of independent seeds; None where a side has one seed.

    The value is Mann and Whitney's U over the number of pairs, as in rliable (arXiv 2108.13264). rliable's bootstrap
    has no width where all pairs agree, which at few seeds is usual. The interval is therefore Newcombe's method 5
    (Statistics in Medicine 25, 2006): all p whose distance from the value is at most z standard errors, with Hanley and
    McNeil's variance at p (Radiology 143, 1982), the larger number of seeds in its numerator replaced by the mean.
    """
    m, n = len(base), len(other)
    if min(m, n) < 2:
        return None
    gaps = np.sign(np.subtract.outer(np.asarray(other), np.asarray(base))) * (1 if higher else -1)
    value = float((gaps + 1).mean() / 2)

    def excess(p: float) -> float:
        extra = (m + n) / 2 - 1
        variance = p * (1 - p) * (1 + extra * ((1 - p) / (2 - p) + p / (1 + p))) / (m * n)
        return (p - value) ** 2 - NORMAL**2 * variance

    inside = min(max(value, SMALL), 1 - SMALL)  # at 0 and 1 the variance vanishes
    low = 0.0 if value == 0 else float(optimize.brentq(excess, 0, inside))
    high = 1.0 if value == 1 else float(optimize.brentq(excess, inside, 1))
    return Probability(value, low, high)
