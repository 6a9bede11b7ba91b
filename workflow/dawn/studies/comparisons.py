"""Differences between variants over seeds: a contrast of their means with its standard error."""

import math
import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scipy import stats

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
    """

    paired: bool
    n: int
    mean: float
    std: float | None = None
    error: float | None = None
    freedom: float = 0.0

    def statistic(self, null: float = 0.0) -> float | None:
        """Student's t against the hypothesis that the true contrast is ``null``."""
        return None if self.error is None else (self.mean - null) / self.error

    def p(self, null: float = 0.0) -> float | None:
        """The two-sided p-value of the hypothesis that the true contrast is ``null``."""
        t = self.statistic(null)
        return None if t is None else 2 * float(stats.t.sf(abs(t), self.freedom))

    def p_margin(self, margin: float, above: bool) -> float | None:
        """The one-sided p-value of a true contrast of ``margin`` or more (``above``), or of minus that or less."""
        t = self.statistic(margin if above else -margin)
        return None if t is None else float(stats.t.cdf(t if above else -t, self.freedom))

    def interval(self, level: float = LEVEL) -> tuple[float, float] | None:
        """The interval that the true contrast is outside of with a chance of ``level``."""
        if self.error is None:
            return None
        half = float(stats.t.isf(level / 2, self.freedom)) * self.error
        return self.mean - half, self.mean + half


def contrast(values: Values, weights: Weights, shared: bool) -> Difference:
    """The weighted sum of the means of the variants.

    Taken seed by seed (Student's t) if ``shared`` says that equal seeds have equal batches and the variants have the
    same seeds; else by Welch's t (Biometrika 34, 1947), which lets the spreads differ.
    """
    if is_paired(values, weights, shared):
        first = next(iter(weights))
        sums = [sum(w * values[name][seed] for name, w in weights.items()) for seed in values[first]]
        std = statistics.stdev(sums) if len(sums) > 1 else 0.0
        return _known(True, len(sums), statistics.fmean(sums), std, std / math.sqrt(len(sums)), len(sums) - 1)
    mean, n = _mean(values, weights), min(len(values[name]) for name in weights)
    if n < 2:
        return Difference(False, n, mean)
    spreads = {name: statistics.variance(values[name].values()) for name in weights}
    parts = [w**2 * spreads[name] / len(values[name]) for name, w in weights.items()]
    std = math.sqrt(sum(w**2 * spreads[name] for name, w in weights.items()))
    freedoms = [part**2 / (len(values[name]) - 1) for part, name in zip(parts, weights, strict=True)]
    freedom = sum(parts) ** 2 / sum(freedoms) if sum(freedoms) else 1.0
    return _known(False, n, mean, std, math.sqrt(sum(parts)), freedom)


def pooled(values: Values, weights: Weights, shared: bool) -> Difference:
    """The same with one spread for all variants of the study, which has more degrees of freedom.

    Paired, the spread is the residual of the two-way layout of seeds and variants (n - 1)(k - 1); else it is the mean
    variance within k variants, k (n - 1). Right only where the variants spread alike.
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
    """Whether these variants can be compared seed by seed."""
    return shared and len({tuple(sorted(values[name])) for name in names}) == 1


def _mean(values: Values, weights: Weights) -> float:
    return sum(w * statistics.fmean(values[name].values()) for name, w in weights.items())


def _known(paired: bool, n: int, mean: float, std: float, error: float, freedom: float) -> Difference:
    if n < 2 or error < 1e-12:
        return Difference(paired, n, mean)
    return Difference(paired, n, mean, std, error, freedom)
