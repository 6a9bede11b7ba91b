"""A measured value and its 95 % interval over images, which the measures of several judges can be averaged to."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.floating[Any]]
Doubles = NDArray[np.float64]
Scale = Literal["any", "positive", "fraction", "squared"]


@dataclass(frozen=True)
class Estimate:
    """A value whose variance is the sum of the squares of all ``parts``, one number for each image or group of images.

    ``freedom``: degrees of freedom of Student's quantile. ``scale``: the interval of a positive value is symmetric in
    its logarithm, that of a fraction is Wilson's, that of a squared distance is ``squared``'s. ``second``: variance of
    second order, which the parts count twice. ``n``: images.
    """

    value: float
    parts: tuple[Floats, ...]
    n: int
    freedom: float
    scale: Scale = "any"
    second: float = 0.0

    @property
    def variance(self) -> float:
        """The variance; what is counted twice cannot be more than half of the sum of squares."""
        return max(self.total - self.second, self.total / 2)

    @property
    def total(self) -> float:
        """The sum of squares of all parts."""
        return sum(float(np.sum(np.square(part, dtype=np.float64))) for part in self.parts)

    def interval(self) -> tuple[float, float]:
        """Return the 95 % interval."""
        quantile = float(stats.t.ppf(0.975, self.freedom))
        if self.scale == "fraction":
            return wilson(self.value, self.effective(), quantile)
        if self.scale == "squared":
            return squared(self.value, max(self.total - 2 * self.second, 0.0), self.second, quantile)
        half = quantile * math.sqrt(self.variance)
        if self.scale == "any" or self.value <= 0:
            return self.value - half, self.value + half
        factor = math.exp(min(half / self.value, 700.0))  # exp(710) is infinite
        return self.value / factor, self.value * factor

    def effective(self) -> float:
        """The number of independent trials whose fraction has this variance; ``n`` where all or none succeeded."""
        binomial = self.value * (1 - self.value)
        return binomial / self.variance if binomial > 0 and self.variance > 0 else float(self.n)

    def entry(self) -> dict[str, Any]:
        """Return value, interval and number of images, as they are written to evaluation.json."""
        low, high = self.interval()
        return {"value": self.value, "low": low, "high": high, "n": self.n}


def wilson(share: float, trials: float, quantile: float) -> tuple[float, float]:
    """The score interval of a fraction of ``trials``, which need not be a whole number (Wilson, JASA 22, 1927)."""
    square = quantile**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, min(share, centre - half)), min(1.0, max(share, centre + half))  # at 0 and 1 by rounding alone


def squared(value: float, first: float, second: float, quantile: float) -> tuple[float, float]:
    """The score interval of an unbiased estimate of a squared distance, whose variance grows with what it estimates.

    The part ``first`` of the variance is proportional to the squared distance t, as a mean's is in (mean)^2, and the
    part ``second`` is constant: v(t) = second + first t / value. The limits solve (value - t)^2 = quantile^2 v(t), as
    Wilson's do for a fraction. Near 0 ``value`` is taken to be at least its standard deviation there.
    """
    slope = quantile**2 * first / max(value, math.sqrt(second)) if first > 0 else 0.0
    centre = value + slope / 2
    half = math.sqrt(max(centre**2 - value**2 + quantile**2 * second, 0.0))
    return centre - half, centre + half


def mean_of(estimates: Sequence[Estimate]) -> Estimate:
    """Return the mean of several judges' estimates on the same images, whose parts are averaged: they are dependent."""
    first, count = estimates[0], len(estimates)
    parts = zip(*(estimate.parts for estimate in estimates), strict=True)
    return Estimate(
        value=sum(estimate.value for estimate in estimates) / count,
        parts=tuple(np.sum(several, axis=0) / count for several in parts),
        n=first.n,
        freedom=min(estimate.freedom for estimate in estimates),
        scale=first.scale,
        second=(sum(math.sqrt(estimate.second) for estimate in estimates) / count) ** 2,
    )


def mean(values: Floats, scale: Scale = "any") -> Estimate:
    """Return the mean of one number an image, (n,)."""
    n, value = len(values), float(np.mean(values, dtype=np.float64))
    freedom = max(n - 1, 1)
    return Estimate(value, ((values - value) / math.sqrt(n * freedom),), n, freedom, scale)


def difference_of_means(x: Floats, y: Floats) -> Estimate:
    """Return the mean of x (n,) minus that of y (m,); the interval is Welch's (Biometrika 34, 1947)."""
    first, second = mean(x), mean(y)
    total = first.variance + second.variance
    squares = first.variance**2 / first.freedom + second.variance**2 / second.freedom
    freedom = total**2 / squares if squares > 0 else math.inf
    return Estimate(first.value - second.value, (*first.parts, *second.parts), first.n, freedom)


def mean_parts(values: Floats) -> Doubles:
    """Return contributions to the variance of the mean of independent values (n,)."""
    return np.asarray((values - values.mean()) / math.sqrt(len(values) * (len(values) - 1)))


def jackknife(left_out: Floats) -> Doubles:
    """Return contributions to the variance from the values (n,) without each image."""
    n = len(left_out)
    return np.asarray((left_out - left_out.mean()) * math.sqrt((n - 1) / n))


def distance(entry: Mapping[str, Any], best: float = 0.0) -> dict[str, Any]:
    """Return the entry of |value - best|, for a measure whose values are bad on both sides of the best one.

    Where the interval holds ``best``, that of the distance starts at 0: it holds the true distance at least as often.
    """
    low, high = entry["low"] - best, entry["high"] - best
    by_judge = {"judges": [distance(judge, best) for judge in entry["judges"]]} if "judges" in entry else {}
    return {
        "value": abs(entry["value"] - best),
        "low": 0.0 if low <= 0 <= high else min(abs(low), abs(high)),
        "high": max(abs(low), abs(high)),
        "n": entry["n"],
    } | by_judge


def spaced(n: int, count: int) -> NDArray[np.int64]:
    """Return at most ``count`` of the indices 0 .. n - 1, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(count, n), dtype=np.int64))
