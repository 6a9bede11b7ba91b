"""How many seeds a comparison needs, and how small a difference a number of seeds can detect."""

import math
from dataclasses import dataclass

from scipy import stats
from scipy.special import ndtr

from dawn.studies.dunnett import dunnett_edge, spreads
from dawn.studies.sequential import PLANNED

POWER = 0.8  # chance to detect the difference that matters
MOST = 10_000  # seeds


@dataclass(frozen=True)
class TTest:
    """How a comparison is tested.

    paired  whether differences are taken seed by seed
    level   of this comparison; by Dunnett's test of all comparisons together
    pooled  the variants that share one spread and are compared with one of them, by Dunnett's test; 0: a spread each
    """

    paired: bool
    level: float = PLANNED
    pooled: int = 0

    @classmethod
    def of_study(cls, name: str, comparisons: int, paired: bool, total: float = PLANNED) -> "TTest":
        """The strictest test of one of so many comparisons, which reject with a chance of ``total`` together.

        ``name`` is the study's ``test``: dunnett tests all against one at this level, holm each at a part of it.
        """
        return cls(paired, total, comparisons + 1) if name == "dunnett" else cls(paired, total / comparisons)

    def freedom(self, n: int) -> int:
        """Degrees of freedom of ``n`` seeds a variant."""
        if self.pooled:
            return (n - 1) * (self.pooled - self.paired)
        return n - 1 if self.paired else 2 * n - 2

    def edge(self, n: int) -> float:
        """The |t| above which ``n`` seeds a variant show a difference."""
        if self.pooled:
            return dunnett_edge(self.level, self.pooled - 1, self.freedom(n))
        return float(stats.t.isf(self.level / 2, self.freedom(n)))


def power(n: int, std: float, size: float, test: TTest) -> float:
    """The chance that ``test`` with ``n`` seeds a variant finds a true difference of ``size``.

    ``std`` is that of the difference of one seed. With the estimated standard deviation at s times the true one, the
    statistic is normal around size sqrt(n) / (s std): the chance is the mean of the normal tails over the distribution
    of s, chi with ``freedom`` degrees over sqrt(freedom). SciPy's noncentral t is NaN for part of these arguments
    (scipy issue 25106).
    """
    shift, edge = size * math.sqrt(n) / std, test.edge(n)
    s, weights = spreads(test.freedom(n))
    return float(weights @ (ndtr(shift - edge * s) + ndtr(-shift - edge * s)))


def seeds_needed(std: float, size: float, test: TTest) -> int | None:
    """The fewest seeds a variant that detect a difference of ``size`` with a chance of 80 %; None above 10,000."""
    low, high = 1, 2
    while power(high, std, size, test) < POWER:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, std, size, test) >= POWER else (middle, high)
    return high


def detectable(n: int, std: float, test: TTest) -> float:
    """The smallest true difference that ``n`` seeds a variant detect with a chance of 80 %."""
    low, high = 0.0, std
    while power(n, std, high, test) < POWER:
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, std, middle, test) >= POWER else (middle, high)
    return high
