"""Is one variant better than another? Differences over seeds, with intervals, and what their number can tell."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from scipy import stats

LEVEL = 0.05  # of a test; its interval is of 95 %
POWER = 0.8  # chance to see the difference that is asked for
MOST = 10_000  # seeds; past it nobody trains


@dataclass(frozen=True)
class Difference:
    """A mean difference over seeds. ``std`` is that of one seed's difference, paired or not.

    Where it cannot be known (one seed, or seeds that do not differ at all) interval and p are None.
    """

    paired: bool
    n: int
    mean: float
    std: float | None
    low: float | None
    high: float | None
    p: float | None

    @property
    def known(self) -> bool:
        """Whether there is an interval."""
        return self.low is not None


def difference(base: Mapping[int, float], other: Mapping[int, float], shared: bool) -> Difference:
    """``other`` less ``base``, both a value a seed.

    Paired by seed (Student's t on the differences) if ``shared`` says that equal seeds share their data order and
    both have the same seeds; else Welch's t (Biometrika 34, 1947), which lets the spreads differ.
    """
    if shared and set(base) == set(other):
        return _paired([other[seed] - base[seed] for seed in sorted(base)])
    return _unpaired(list(base.values()), list(other.values()))


def _paired(values: list[float]) -> Difference:
    n, mean = len(values), statistics.fmean(values)
    std = statistics.stdev(values) if n > 1 else 0.0
    return _tested(True, n, mean, std, std / math.sqrt(n), n - 1)


def _unpaired(base: list[float], other: list[float]) -> Difference:
    mean, n = statistics.fmean(other) - statistics.fmean(base), min(len(base), len(other))
    if n < 2:
        return Difference(False, n, mean, None, None, None, None)
    parts = [statistics.variance(values) / len(values) for values in (base, other)]
    error = math.sqrt(sum(parts))
    weights = [part**2 / (len(values) - 1) for part, values in zip(parts, (base, other), strict=True)]
    freedom = sum(parts) ** 2 / sum(weights) if sum(weights) else 1.0
    std = math.sqrt(statistics.variance(base) + statistics.variance(other))
    return _tested(False, n, mean, std, error, freedom)


def _tested(paired: bool, n: int, mean: float, std: float, error: float, freedom: float) -> Difference:
    if n < 2 or error < 1e-12:
        return Difference(paired, n, mean, None, None, None, None)
    half = float(stats.t.ppf(1 - LEVEL / 2, freedom)) * error
    p = 2 * float(stats.t.sf(abs(mean) / error, freedom))
    return Difference(paired, n, mean, std, mean - half, mean + half, p)


def holm(values: Sequence[float | None]) -> list[float | None]:
    """The p-values made fit for being several (Holm, Scandinavian Journal of Statistics 6, 1979); None stays None."""
    known = sorted((p, place) for place, p in enumerate(values) if p is not None)
    adjusted: list[float | None] = [None] * len(values)
    highest = 0.0
    for rank, (p, place) in enumerate(known):
        highest = max(highest, min(1.0, (len(known) - rank) * p))
        adjusted[place] = highest
    return adjusted


def power(n: int, std: float, size: float, paired: bool, level: float = LEVEL) -> float:
    """The chance that a two-sided t-test on ``n`` seeds sees a true difference of ``size``.

    The test statistic then has Student's noncentral distribution; ``std`` is that of one seed's difference.
    """
    freedom = n - 1 if paired else 2 * n - 2
    shift, edge = size * math.sqrt(n) / std, float(stats.t.ppf(1 - level / 2, freedom))
    return float(stats.nct.sf(edge, freedom, shift) + stats.nct.cdf(-edge, freedom, shift))


def seeds_needed(std: float, size: float, paired: bool, level: float = LEVEL) -> int | None:
    """The fewest seeds (a variant) that see a difference of ``size`` with a chance of 80 %; None: past 10,000."""
    low, high = 1, 2
    while not power(high, std, size, paired, level) >= POWER:
        low, high = high, 2 * high
        if high > MOST:
            return None
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if power(middle, std, size, paired, level) >= POWER else (middle, high)
    return high


@dataclass(frozen=True)
class Judged:
    """A difference among several: its p-value after Holm, and the ``size`` that would matter."""

    difference: Difference
    p: float | None
    size: float
    level: float  # that a test of one of them must keep

    @cached_property
    def needed(self) -> int | None:
        """The fewest seeds that see a difference of ``size``, should the spread stay as it is; None: no idea."""
        d = self.difference
        return seeds_needed(d.std, self.size, d.paired, self.level) if d.std else None

    @property
    def verdict(self) -> str:
        """better | worse | alike | too few seeds."""
        d = self.difference
        if d.low is None or d.high is None or self.p is None:
            return "too few seeds"
        if -self.size < d.low and d.high < self.size:  # also where it is not nothing: it does not matter
            return "alike"
        return "too few seeds" if self.p >= LEVEL else "better" if d.mean > 0 else "worse"


def judge(differences: Sequence[Difference], size: float) -> list[Judged]:
    """All the differences of a study to its base; ``size`` is the difference that would matter."""
    level = LEVEL / max(1, len(differences))  # the strictest that Holm can ask of one of them
    adjusted = holm([d.p for d in differences])
    return [Judged(d, p, size, level) for d, p in zip(differences, adjusted, strict=True)]
