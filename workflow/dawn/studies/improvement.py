"""The probability of improvement: how likely a seed of one variant is better than a seed of another."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

FEWEST = 3  # seeds of each side


@dataclass(frozen=True)
class Probability:
    """A probability in 0 .. 1 with its 95 % interval."""

    value: float
    low: float
    high: float


def improvement(base: Sequence[float], other: Sequence[float], higher: bool) -> Probability | None:
    """P(other better than base) + P(equal) / 2 of independent seeds; None where a side has fewer than three seeds.

    The value is Mann and Whitney's U over the number of pairs, as in rliable (arXiv 2108.13264). U is a mean of means
    of k independent pairs, k being the fewer seeds (Hoeffding, JASA 58, 1963), so that it varies no more than the
    fraction of k pairs, whatever the spreads and numbers: the interval is Clopper and Pearson's of that binomial
    fraction. Formulas that estimate the variance of U are narrower and cover 79 to 92 % where the spreads or the
    numbers differ (tests/bench/intervals.py); rliable's bootstrap has no width where all pairs agree.
    """
    k = min(len(base), len(other))
    if k < FEWEST:
        return None
    gaps = np.sign(np.subtract.outer(np.asarray(other), np.asarray(base))) * (1 if higher else -1)
    value = float((gaps + 1).mean() / 2)
    hits, misses = k * value, k * (1 - value)
    low = float(stats.beta.ppf(0.025, hits, misses + 1)) if hits > 0 else 0.0
    high = float(stats.beta.ppf(0.975, hits + 1, misses)) if misses > 0 else 1.0
    return Probability(value, low, high)
