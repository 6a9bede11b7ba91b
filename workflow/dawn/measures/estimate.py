"""A measured value and its 95 % interval over images, which the measures of several judges can be averaged to."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Floats = NDArray[np.floating[Any]]
Scale = Literal["any", "positive", "fraction"]


@dataclass(frozen=True)
class Estimate:
    """A value whose variance is the sum of the squares of all ``parts``, one number for each image or group of images.

    ``freedom``: degrees of freedom of Student's quantile. ``scale``: the values that are possible; the interval of a
    positive value is symmetric in its logarithm, that of a fraction is Wilson's. ``second``: variance that the parts
    count twice. ``n``: images.
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
        total = sum(float(np.sum(np.square(part, dtype=np.float64))) for part in self.parts)
        return max(total - self.second, total / 2)

    def interval(self) -> tuple[float, float]:
        """The 95 % interval."""
        quantile = float(stats.t.ppf(0.975, self.freedom))
        if self.scale == "fraction":
            return wilson(self.value, self.effective(), quantile)
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
        """Value, interval and number of images, as they are written to evaluation.json."""
        low, high = self.interval()
        return {"value": self.value, "low": low, "high": high, "n": self.n}


def wilson(share: float, trials: float, quantile: float) -> tuple[float, float]:
    """The score interval of a fraction of ``trials``, which need not be a whole number (Wilson, JASA 22, 1927)."""
    square = quantile**2 / trials
    centre = (share + square / 2) / (1 + square)
    half = math.sqrt(share * (1 - share) * square + square**2 / 4) / (1 + square)
    return max(0.0, centre - half), min(1.0, centre + half)


def mean_of(estimates: Sequence[Estimate]) -> Estimate:
    """The mean of several judges' estimates on the same images: their parts are averaged, since they are dependent."""
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
    """The mean of one number an image, (n,)."""
    n = len(values)
    centred = values - np.mean(values, dtype=np.float64)
    return Estimate(float(np.mean(values, dtype=np.float64)), (centred / math.sqrt(n * max(n - 1, 1)),), n,
                    max(n - 1, 1), scale)  # fmt: skip


def spaced(n: int, count: int) -> NDArray[np.int64]:
    """At most ``count`` of the indices 0 .. n - 1, evenly spaced."""
    return np.unique(np.linspace(0, n - 1, min(count, n), dtype=np.int64))
