"""The analyses of new seeds, which are trained one after another, against a published mean.

They are at planned numbers of new seeds. At each the difference of the means, new minus published, has bounds and an
interval whose levels depend on the plan alone, which is made of what is published and the margin. They show one of

equivalent  both 95 % bounds of the difference are within the margin (two one-sided tests)
different   its 95 % interval excludes 0, and the measured difference is no smaller than the margin

Each is wrong with a chance of 5 % at most over all analyses together, however many follow: the planned ones spend
``BY_PLAN`` of it (``dawn.studies.sequential``), each further one half of what is left. docs/reproduce-errors.md has the
simulations.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy.special import chdtri, fdtr, fdtrc, ndtr, stdtrit

from dawn.config.study import Sequential
from dawn.studies.comparisons import LEVEL
from dawn.studies.multiple import spreads
from dawn.studies.power import POWER
from dawn.studies.sequential import levels

FIRST = 5  # new seeds at the first analysis
STEP = 1.6  # from one further analysis to the next
PLANS = tuple(round(10 ** (k / 10)) for k in range(7, 41))  # seeds that are announced: 5, 6, 8, 10, 13 ... 10,000
UNKNOWN = 20  # seeds of the plan where none can be announced
BY_PLAN = 0.9  # of an error, spent at the planned analyses
LAST = 0.54  # of that, the level that ``levels`` leaves for the last of them, at least
FEW = 10  # published seeds, below which their spread is too uncertain to announce a number of new ones by
SURE = 0.9  # confidence that seeds spread no more than is planned for
DOUBT = 0.25  # p-value of equal spreads below which each side has its own degrees of freedom
PREDICTED = 10  # new seeds from which a single published training is predicted
Array = NDArray[np.float64]
Counts = tuple[int, ...]


@dataclass(frozen=True)
class Published:
    """What is published of one measure, in its unit.

    n       seeds
    std     sample standard deviation over the seeds; None where it is not published
    values  of the seeds, where they are known
    """

    n: int
    mean: float
    std: float | None = None
    values: tuple[float, ...] = ()

    @property
    def variance(self) -> Array | None:
        """The sample variance over the seeds, (); None where it is not published."""
        return None if self.std is None else np.array(self.std**2)

    @classmethod
    def of(cls, values: Sequence[float]) -> "Published":
        """Return what is published where the value of every seed is known."""
        std = float(np.std(values, ddof=1)) if len(values) > 1 else None
        return cls(len(values), float(np.mean(values)), std, tuple(values))


@cache
def announced(published: Published, margin: float) -> int | None:
    """Return how many new seeds show equivalence with a chance of 80 % or more at a true difference of half the margin.

    The chance is that of the last planned analysis for normal values whose spread is the upper confidence limit by the
    published one. None where no spread of ``FEW`` seeds or more is published, or no number of new seeds is enough.
    """
    if published.n < FEW or not published.std:
        return None
    ratio = margin / published.std
    if _power(published.n, PLANS[-1], ratio) < POWER:
        return None
    return next(number for number in PLANS if _power(published.n, number, ratio) >= POWER)


def _power(n: int, number: int, ratio: float) -> float:
    """Return the chance that ``announced`` describes, for a margin of ``ratio`` published standard deviations."""
    of_published = math.sqrt(chdtri(n - 1, SURE) / (n - 1))  # the published spread over the true one
    of_new, weights = spreads(number - 1)
    level = 2 * LEVEL * BY_PLAN * LAST
    half = half_width(n, number, np.array(of_published**2), np.square(of_new), level)
    error, margin = math.sqrt(1 / n + 1 / number), ratio * of_published
    inside = ndtr((margin / 2 - half) / error) - ndtr((half - 3 * margin / 2) / error)
    return float(np.maximum(inside, 0) @ weights)


def half_width(n: int, m: NDArray[np.int_] | int, published: Array, new: Array, level: Array | float) -> Array:
    """Return the half width of the interval of a difference that is wrong with a chance of ``level``.

    ``published`` and ``new`` are the variances over n and m seeds. The seeds are of the same settings, so a variance is
    taken to be that of all seeds, unless its own is larger: few seeds with a small spread by chance then cannot decide,
    and skewed values, whose mean and spread go together, are wrong less often than by Welch's test. Where one spread
    looks larger than the other, its side has the degrees of freedom of its own seeds (Banerjee's bound, as in
    ``dawn.studies.comparisons``).
    """
    freedom = n + m - 2
    pooled = ((n - 1) * published + (m - 1) * new) / freedom
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = published / new
    common = stdtrit(freedom, level / 2)
    of_published = np.where(fdtrc(n - 1, m - 1, ratio) < DOUBT, stdtrit(n - 1, level / 2), common)
    of_new = np.where(fdtr(n - 1, m - 1, ratio) < DOUBT, stdtrit(m - 1, level / 2), common)
    squares = np.maximum(published, pooled) / n * of_published**2, np.maximum(new, pooled) / m * of_new**2
    return np.asarray(np.sqrt(squares[0] + squares[1]))


def half_width_alone(n: int, m: NDArray[np.int_] | int, new: Array, level: Array | float) -> Array:
    """Return the same where no spread is published, and that of the new seeds is taken for both."""
    return np.asarray(-stdtrit(m - 1, level / 2) * np.sqrt(new * (1 / m + 1 / n)))


def planned(published: Published, margin: float) -> Counts:
    """Return the numbers of new seeds at the planned analyses."""
    first = FIRST if published.std is not None else 2 * FIRST  # few skewed values look too much alike
    last = max(first, announced(published, margin) or UNKNOWN)
    return Sequential(first=first, most=last).counts if last > first else (last,)


def looks(published: Published, margin: float, most: int) -> Counts:
    """Return the numbers of new seeds, ascending and at most ``most``, at which the difference is analysed.

    Those of a larger ``most`` begin with those of a smaller one, so that going on is as planned. A single published
    training is predicted once.
    """
    if published.n == 1:
        return (min(PREDICTED, most),)
    counts = [*planned(published, margin)]
    while round(STEP * counts[-1]) <= most:
        counts.append(round(STEP * counts[-1]))
    return tuple(number for number in counts if number <= most)


@cache
def spent(plan: Counts, analyses: int, total: float) -> tuple[float, ...]:
    """Return the two-sided level of each of so many analyses; those of any number reject with a chance of ``total``."""
    further = [(1 - BY_PLAN) * total / 2**i for i in range(1, analyses - len(plan) + 1)]
    return (*levels(plan, BY_PLAN * total), *further)[:analyses]


@dataclass(frozen=True)
class Analyses:
    """Differences (..., analyses), the half widths of their bounds and of their intervals, and what they decide."""

    difference: Array
    bounds: Array
    interval: Array
    equivalent: NDArray[np.bool_]
    different: NDArray[np.bool_]


def analyse(
    n: int, mean: Array | float, variance: Array | None, new: tuple[Array, Array], margin: float,
    plan: Counts, counts: Counts,
) -> Analyses:  # fmt: skip
    """Analyse means and variances ``new``, (..., analyses) each, of ``counts`` seeds, against published ones (..., 1).

    ``variance`` is None where it is not published.
    """
    m, (means, variances) = np.array(counts), new

    def half(total: float) -> Array:
        level = np.array(spent(plan, len(counts), total))
        if variance is None:
            return half_width_alone(n, m, variances, level)
        return half_width(n, m, variance, variances, level)

    difference, bounds, interval = means - mean, half(2 * LEVEL), half(LEVEL)
    size, known = np.abs(difference), interval > 0  # seeds without any spread decide nothing
    equivalent = known & (size + bounds < margin)
    return Analyses(difference, bounds, interval, equivalent, known & (size > interval) & (size >= margin))
