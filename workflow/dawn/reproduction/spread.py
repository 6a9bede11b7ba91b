"""Whether the published seeds spread as independent trainings of the same settings do.

Seeds that share most of their training spread too little: their mean is that of fewer trainings than they say, and its
interval is too narrow. New seeds show it. One new seed far from the others makes the new variance large by itself, as
skewed and heavy-tailed values do now and then. So that variance is also taken without the most extreme new seed, over
what it then is on average for normal values, and the degrees of freedom of both variances follow from the kurtosis that
the seeds show (Shoemaker, The American Statistician 57, 2003), with a prior of ``KURTOSIS`` that is worth ``PRIOR``
seeds. docs/reproduce-errors.md has the simulations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np
from scipy import integrate
from scipy.special import fdtr, fdtri, ndtr

from dawn.report.numbers import count, p_value
from dawn.reproduction.analyses import FIRST, STEP, Array, Counts, Published
from dawn.studies.comparisons import LEVEL

KURTOSIS, PRIOR = 5.0, 10  # normal values have 3, exponential ones 9
TAILS = 9.0  # the least kurtosis of the lower bound, which few seeds without an extreme one would put too high
PART = 0.3  # of the error that is left, spent at each test


@dataclass(frozen=True)
class Spread:
    """The variance over the published seeds divided by that over the new ones.

    ratio      None where one of them is not known
    low, high  its bounds, of 95 % each at whatever number of new seeds one stops
    p          of so small a ratio of independent seeds, for all tests together; below 5 % where ``high`` is below 1
    finding    a sentence where the published spread is too small, so that the seeds are not independent; else None
    """

    ratio: float | None
    low: float | None
    high: float | None
    p: float | None
    finding: str | None


def spread(published: Published, new: Sequence[float]) -> Spread:
    """Return the ratio of the variances by the first test that finds it too small, else by the last one.

    The order of ``new`` is that of training, and the tests are after 5, 8, 13 ... seeds. So this may be called after
    every seed, and again with the same seeds.
    """
    counts = sizes_of_tests(len(new))
    if not counts or published.n < 2 or published.std is None or not np.ptp(new[: counts[-1]]):
        return Spread(None, None, None, None, None)
    values = np.array([published.values]) if len(published.values) == published.n else None
    tests = compare(published.n, np.array([published.std**2]), values, np.array([new], float), counts)
    small = np.flatnonzero(tests.high[0] < 1)
    place = int(small[0]) if len(small) else len(counts) - 1
    ratio, low, high, p = (float(row[0, place]) for row in (tests.ratio, tests.low, tests.high, tests.p))
    result = Spread(ratio, low, high, p, None)
    of_new = float(np.std(new[: counts[place]], ddof=1))
    return replace(result, finding=_finding(published, of_new, result, counts[place])) if len(small) else result


def sizes_of_tests(most: int) -> Counts:
    """Return the numbers of new seeds, up to ``most``, at which the spread is tested."""
    counts = [FIRST]
    while counts[-1] <= most:
        counts.append(round(STEP * counts[-1]))
    return tuple(counts[:-1])


@dataclass(frozen=True)
class Tests:
    """Ratios, their bounds, and the adjusted p-value of all tests so far, (rows, tests) each."""

    ratio: Array
    low: Array
    high: Array
    p: Array


def compare(n: int, variance: Array, values: Array | None, new: Array, counts: Counts) -> Tests:
    """Test published variances (rows,) over n seeds, whose values (rows, n) may be known, by new seeds (rows, seeds).

    Where no new seed differs from another, all is NaN.
    """
    columns: list[tuple[Array, ...]] = []
    adjusted = np.ones(len(new))
    for place, m in enumerate(counts):
        level = LEVEL * PART * (1 - PART) ** place
        part = new[:, :m]
        with np.errstate(divide="ignore", invalid="ignore"):
            kurtosis = _kurtosis([part] if values is None else [part, values])
            freedom = 2 * (n - 1) / (kurtosis - 1), 2 * (m - 2) / (kurtosis - 1)
            ratio, robust = variance / part.var(1, ddof=1), variance / _without_extreme(part)
            p, high = fdtr(*freedom, robust), robust / fdtri(*freedom, level)
            tails = np.maximum(kurtosis, TAILS) - 1
            low = ratio / fdtri(2 * (n - 1) / tails, 2 * (m - 1) / tails, 1 - level)
        adjusted = np.fmin(adjusted, p * LEVEL / level)
        columns.append((ratio, low, high, adjusted))
    return Tests(*(np.stack(column, 1) for column in zip(*columns, strict=True)))


def _kurtosis(samples: Sequence[Array]) -> Array:
    """Return the kurtosis (rows,) of samples (rows, size) that have it in common, no smaller than that of normal ones.

    The sample kurtosis of normal values is 3 (size - 1) / (size + 1) on average; each is corrected by that.
    """
    total, seeds = np.full(len(samples[0]), PRIOR * KURTOSIS), PRIOR
    for sample in samples:
        size = sample.shape[1]
        squares = np.square(sample - sample.mean(1, keepdims=True))
        shown = np.square(squares).mean(1) / np.square(squares.mean(1)) * (size + 1) / (size - 1)
        total, seeds = total + size * np.where(np.isnan(shown), 3, shown), seeds + size
    return np.maximum(total / seeds, 3)


def _without_extreme(sample: Array) -> Array:
    """Return the variances (rows,) of samples (rows, size) without the value furthest from the mean, made unbiased."""
    size = sample.shape[1]
    squares = np.square(sample - sample.mean(1, keepdims=True))
    left = squares.sum(1) - squares.max(1) * size / (size - 1)
    return np.asarray(left / (size - 1 - _largest_square(size)))


@cache
def _largest_square(size: int) -> float:
    """Return the mean of the largest square of independent standard normal values."""
    mean, _ = integrate.quad(lambda square: 1 - (1 - 2 * ndtr(-math.sqrt(square))) ** size, 0, 200, limit=200)
    return float(mean)


def _finding(published: Published, of_new: float, tests: Spread, seeds: int) -> str:
    return (
        "The published spread is too small, so the published seeds are not independent trainings of these settings: "
        f"{count(published.n, 'seed')} have a standard deviation of {published.std:.3g}, {count(seeds, 'new seed')} "
        f"one of {of_new:.3g} (ratio of variances {tests.ratio:.2g}, 95 % bounds {tests.low:.2g} to {tests.high:.2g}; "
        f"adjusted p {p_value(tests.p)})."
    )
