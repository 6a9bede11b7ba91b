"""Differences between variants over seeds: a contrast of their means with its standard error."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import optimize, stats

from dawn.config.task import Scale
from dawn.results.statistics import BOUNDS, score

SMALL = 1e-12  # a standard error below it is rounding
LEVEL = 0.05  # of a test of its own; its interval is of 95 %
Values = Mapping[str, Mapping[int, float]]  # of each variant: a value of each seed
Weights = Mapping[str, float]  # of each variant in a contrast; their sum is 0


@dataclass(frozen=True)
class Difference:
    """A contrast of means, in the units of the measure.

    paired   whether it was taken seed by seed
    n        seeds; the fewest of a variant
    std      standard deviation of the contrast of one seed; None where it cannot be known
    error    standard error of ``mean``, with ``freedom`` degrees of freedom; None where it cannot be known: for one
             seed, and for seeds that do not differ at all
    parts    of each variant the fraction of ``std`` squared that is its own; () where it was taken seed by seed
    unequal  where the variants differ in their number of seeds: of each the fraction of ``error`` squared that is its
             own, and its degrees of freedom
    """

    paired: bool
    n: int
    mean: float
    std: float | None = None
    error: float | None = None
    freedom: float = 0.0
    parts: tuple[float, ...] = ()
    unequal: tuple[tuple[float, float], ...] = ()

    def edge(self, level: float) -> float:
        """Return the |t| that chance exceeds with a probability of ``level`` at most.

        Student's; with unequal numbers of seeds Banerjee's bound, the mean of the squares of Student's edges of the
        variants, weighted by their parts of the variance. It holds whatever the true spreads (Sankhya 22, 1960), where
        Welch's degrees of freedom are too many if the variant of few seeds decides the error.
        """
        if not self.unequal:
            return float(stats.t.isf(level / 2, self.freedom))
        return math.sqrt(sum(part * float(stats.t.isf(level / 2, freedom)) ** 2 for part, freedom in self.unequal))

    def tail(self, t: float) -> float:
        """Return the one-sided p-value of a t: half of the level whose edge is |t|, or its complement below 0."""
        if not self.unequal:
            return float(stats.t.sf(t, self.freedom))
        if t < 0:
            return 1 - self.tail(-t)
        ends = [2 * float(stats.t.sf(t, freedom)) for _, freedom in self.unequal]
        low, high = math.log(min(ends)) - 1e-9, math.log(max(ends)) + 1e-9
        return math.exp(optimize.brentq(lambda x: self.edge(min(math.exp(x), 1.0)) - t, low, high)) / 2

    def statistic(self, null: float = 0.0) -> float | None:
        """Return the t against the hypothesis that the true contrast is ``null``."""
        return None if self.error is None else (self.mean - null) / self.error

    def p(self, null: float = 0.0) -> float | None:
        """Return the two-sided p-value of the hypothesis that the true contrast is ``null``."""
        t = self.statistic(null)
        return None if t is None else 2 * self.tail(abs(t))

    def p_margin(self, margin: float, above: bool) -> float | None:
        """Return the one-sided p-value of a true contrast of ``margin`` or more (``above``), or minus that or less."""
        t = self.statistic(margin if above else -margin)
        return None if t is None else self.tail(-t if above else t)

    def interval(self, level: float = LEVEL, reach: float = math.inf) -> tuple[float, float] | None:
        """Return the interval that the true contrast is outside of with a chance of ``level``.

        Where no contrast is further from 0 than ``reach``, it is the score interval, which stays in that range and is
        the same where the error is small (``dawn.results.statistics.spread``).
        """
        if self.error is None:
            return None
        half = self.edge(level) * self.error
        if math.isfinite(reach):
            return score(self.mean, half, -reach, reach)
        return self.mean - half, self.mean + half


def reach(weights: Weights, scale: Scale) -> float:
    """Return how far from 0 a contrast of such values can be."""
    if scale not in BOUNDS:
        return math.inf
    least, most = BOUNDS[scale]
    return (most - least) * sum(weight for weight in weights.values() if weight > 0)


def cut(interval: tuple[float, float] | None, furthest: float) -> tuple[float, float] | None:
    """Return the part of an interval that the true contrast can be in; it covers as often, and agrees with its test."""
    return None if interval is None else (max(interval[0], -furthest), min(interval[1], furthest))


def two_sides(weights: Weights) -> tuple[str, str] | None:
    """Return the base and the other one of a contrast of two variants, of weights -1 and 1; None for any other."""
    by_weight = {weight: name for name, weight in weights.items()}
    return (by_weight[-1.0], by_weight[1.0]) if set(by_weight) == {-1.0, 1.0} and len(weights) == 2 else None


def contrast(values: Values, weights: Weights, shared: bool) -> Difference:
    """Return the weighted sum of the means of the variants.

    Taken seed by seed (Student's t) if ``shared`` says that equal seeds have equal batches and the variants have the
    same seeds; else by Welch's t (Biometrika 34, 1947), which lets the spreads differ, and for unequal numbers of seeds
    by Banerjee's bound.
    """
    if is_paired(values, weights, shared):
        first = next(iter(weights))
        sums = [sum(w * values[name][seed] for name, w in weights.items()) for seed in values[first]]
        std = statistics.stdev(sums) if len(sums) > 1 else 0.0
        return _known(True, len(sums), statistics.fmean(sums), std, std / math.sqrt(len(sums)), len(sums) - 1)
    mean, counts = _mean(values, weights), {name: len(values[name]) for name in weights}
    n = min(counts.values())
    if n < 2:
        return Difference(False, n, mean)
    squares = {name: w**2 * statistics.variance(values[name].values()) for name, w in weights.items()}
    parts = {name: square / counts[name] for name, square in squares.items()}
    variance, total = sum(parts.values()), sum(squares.values())
    if math.sqrt(variance) < SMALL:
        return Difference(False, n, mean)
    freedoms = tuple((part / variance, counts[name] - 1) for name, part in parts.items())
    freedom = variance**2 / sum(part**2 / (counts[name] - 1) for name, part in parts.items())
    return Difference(
        False, n, mean, math.sqrt(total), math.sqrt(variance), freedom,
        tuple(square / total for square in squares.values()),
        freedoms if len({*counts.values()}) > 1 else (),
    )  # fmt: skip


def pooled(values: Values, weights: Weights, shared: bool) -> Difference:
    """Return the same with one spread for all variants of the study, which has more degrees of freedom.

    Paired, the spread is the residual of the two-way layout of seeds and variants (n - 1)(k - 1); else it is the mean
    variance within k variants, k (n - 1). Right only where the variants spread alike (``dawn.studies.multiple.alike``).
    """
    paired, n = is_paired(values, values, shared), min(len(values[name]) for name in weights)
    mean = _mean(values, weights)
    if n < 2:
        return Difference(paired, n, mean)
    means = {name: statistics.fmean(v.values()) for name, v in values.items()}
    if paired:
        by_seed = {s: statistics.fmean(v[s] for v in values.values()) for s in next(iter(values.values()))}
        grand, freedom = statistics.fmean(means.values()), (n - 1) * (len(values) - 1)
        rest = [v[s] - means[name] - by_seed[s] + grand for name, v in values.items() for s in v]
    else:
        freedom = sum(len(v) - 1 for v in values.values())
        rest = [x - means[name] for name, v in values.items() for x in v.values()]
    variance = sum(x * x for x in rest) / freedom
    std = math.sqrt(variance * sum(w**2 for w in weights.values()))
    error = math.sqrt(variance * sum(w**2 / len(values[name]) for name, w in weights.items()))
    return _known(paired, n, mean, std, error, freedom)


def is_paired(values: Values, names: Sequence[str] | Weights | Values, shared: bool) -> bool:
    """Return whether these variants can be compared seed by seed."""
    return shared and len({tuple(sorted(values[name])) for name in names}) == 1


def _mean(values: Values, weights: Weights) -> float:
    return sum(w * statistics.fmean(values[name].values()) for name, w in weights.items())


def _known(paired: bool, n: int, mean: float, std: float, error: float, freedom: float) -> Difference:
    if n < 2 or error < SMALL:
        return Difference(paired, n, mean)
    return Difference(paired, n, mean, std, error, freedom)
