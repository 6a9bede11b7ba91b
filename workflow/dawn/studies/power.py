"""How many seeds a comparison needs, and how small a difference a number of seeds can detect."""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy.special import chdtri, ndtr, stdtrit
from scipy.stats import qmc

from dawn.config.types import MOST_SEEDS
from dawn.studies.multiple import SEPARATE, alike, dunnett_edge, spreads
from dawn.studies.sequential import PLANNED

POWER = 0.8  # chance to detect the difference that matters
POINTS = 13  # the logarithm, base 2, of the points that integrate over more than two spreads
Edges = tuple[np.ndarray, np.ndarray]  # |difference| that is significant, over its true standard error; weights


@dataclass(frozen=True)
class TTest:
    """The test of a comparison.

    paired  whether differences are taken seed by seed
    level   of this comparison; by Dunnett's test of all comparisons together
    pooled  the variants that share one spread and are compared with one of them, by Dunnett's test; 0: a spread each
    parts   where it is not paired: of each variant the fraction of the contrast's variance that is its own
    """

    paired: bool
    level: float = PLANNED
    pooled: int = 0
    parts: tuple[float, ...] = (0.5, 0.5)

    @classmethod
    def of_study(
        cls, name: str, comparisons: int, paired: bool, total: float = PLANNED, parts: tuple[float, ...] = ()
    ) -> "TTest":
        """Return the strictest test of one of so many comparisons, which reject with a chance of ``total`` together.

        ``name`` is the study's ``test``: dunnett tests all against one at this level, holm each at a part of it.
        """
        if name == "dunnett" and comparisons > 1:
            return cls(paired, total, comparisons + 1)
        return cls(paired, total / comparisons, 0, parts or cls.parts)


@lru_cache(maxsize=64)
def _edges(test: TTest, n: int) -> Edges:
    """Return what ``n`` seeds a variant show, over the distribution of the spreads that they estimate."""
    if test.pooled:
        return _dunnett(test, n)
    if test.paired:
        s, weights = spreads(n - 1)
        return -stdtrit(n - 1, test.level / 2) * s, weights
    return _welch(test, n)


def _welch(test: TTest, n: int) -> Edges:
    """Welch's test: the parts of the variance are estimated each by itself, and so are the degrees of freedom."""
    parts = np.array(test.parts)
    if len(parts) == 2:
        s, weights = spreads(n - 1)
        squares = np.stack(np.meshgrid(s**2, s**2, indexing="ij"), -1).reshape(-1, 2)
        weights = np.outer(weights, weights).ravel()
    else:
        points = qmc.Sobol(len(parts), seed=0).random_base2(POINTS)
        squares = chdtri(n - 1, np.clip(points, 1e-12, 1 - 1e-12)) / (n - 1)
        weights = np.full(len(points), 1 / len(points))
    squares = squares * parts
    variance = squares.sum(1)
    freedom = (n - 1) * variance**2 / (squares**2).sum(1)
    return -stdtrit(freedom, test.level / 2) * np.sqrt(variance), weights


def _dunnett(test: TTest, n: int) -> Edges:
    """Dunnett's test where all variants spread alike and their seeds show it, else each comparison's own spread.

    The sums of squares of k variants have a Wishart distribution, drawn by Bartlett's decomposition.
    """
    k, draws = test.pooled, 2**POINTS
    rng = np.random.default_rng(0)
    lower = np.tril(rng.standard_normal((draws, k, k)), -1)
    free = n - 1 - np.arange(k)
    if free[-1] > 0:
        lower[:, range(k), range(k)] = np.sqrt(rng.chisquare(free, (draws, k)))
    else:  # fewer seeds than variants: the sums of squares themselves
        lower = rng.standard_normal((draws, k, n - 1))
    sums = (lower**2).sum(2)
    if test.paired:
        of_pairs = ((lower[:, 1:] - lower[:, :1]) ** 2).sum(2) / 2 / (n - 1)
        common = (sums.sum(1) - (lower.sum(1) ** 2).sum(1) / k) / ((n - 1) * (k - 1))
        few, many, freedom = n - 1, (n - 1) * (k - 1), np.full(draws, n - 1.0)
    else:
        squares = sums / (n - 1)
        of_pairs, common = (squares[:, 1:] + squares[:, :1]) / 2, squares.mean(1)
        few, many = 2 * (n - 1), (n - 1) * k
        freedom = (n - 1) * (squares[:, 0] + squares[:, 1]) ** 2 / (squares[:, 0] ** 2 + squares[:, 1] ** 2)
    first = np.sqrt(of_pairs[:, 0])
    together = np.maximum(dunnett_edge(test.level, k - 1, many) * np.sqrt(common),
                          -stdtrit(freedom, test.level / SEPARATE / 2) * first)  # fmt: skip
    apart = -stdtrit(freedom, test.level / (k - 1) / 2) * first
    return np.where(alike(of_pairs, common, few, many), together, apart), np.full(draws, 1 / draws)


def power(n: int, std: float, size: float, test: TTest) -> float:
    """Return the chance that ``test`` with ``n`` seeds a variant finds a true difference of ``size``.

    ``std`` is that of the difference of one seed. Given the estimated spreads the measured difference is normal: the
    chance is the mean of its tails beyond what would be significant. SciPy's noncentral t is NaN for part of these
    arguments (scipy issue 25106), and is not the distribution where the degrees of freedom are estimated.
    """
    shift = size * math.sqrt(n) / std
    edges, weights = _edges(test, n)
    return float(weights @ (ndtr(shift - edges) + ndtr(-shift - edges)))


def seeds_needed(std: float, size: float, test: TTest) -> int | None:
    """Return the fewest seeds a variant that detect a difference ``size`` with a chance of 80 %; None over 10,000."""
    low, high = 1, 2
    while power(high, std, size, test) < POWER:
        low, high = high, 2 * high
        if high > MOST_SEEDS:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, std, size, test) >= POWER else (middle, high)
    return high


def detectable(n: int, std: float, test: TTest) -> float:
    """Return the smallest true difference that ``n`` seeds a variant detect with a chance of 80 %."""
    low, high = 0.0, std
    while power(n, std, high, test) < POWER:
        low, high = high, 2 * high
    while high - low > 1e-4 * high:
        middle = (low + high) / 2
        low, high = (low, middle) if power(n, std, middle, test) >= POWER else (middle, high)
    return high
