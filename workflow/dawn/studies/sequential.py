"""Which level each analysis of a study is tested at, so that its verdicts are wrong with a chance of 5 % in all.

A fixed study is analysed once, a sequential one at numbers of seeds that were planned before the first training. The
planned analyses together spend ``PLANNED``. ``RESERVED`` is kept for seeds that were not planned: tests on those are
anytime-valid, that is, they hold however often they are repeated. The rest of the 5 % is kept for comparisons that were
not planned (``dawn.studies.allocation``). docs/studies.md has the simulations.
"""

import math
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
from scipy import stats

from dawn.studies.comparisons import LEVEL, Difference

PLANNED, RESERVED = 0.045, 0.002
PATHS, BLOCK = 1_000_000, 50_000
SCALE = 4.0  # variance of the effect, in units of the spread's, that the anytime-valid test is the best for


@dataclass(frozen=True)
class Planned:
    """The tests of one of the planned analyses: Student's, each at the level that is left for it.

    ``total`` is the chance that the tests of all comparisons at all analyses reject with; at 0 nothing is rejected.
    """

    counts: tuple[int, ...]
    place: int
    total: float = PLANNED

    def level(self, total: float) -> float:
        """Return the two-sided level here, if the tests at all planned analyses reject with a chance of ``total``."""
        return levels(self.counts, total)[self.place]

    def p(self, difference: Difference) -> float:
        """Return the two-sided p-value of no difference."""
        return known(difference.p())

    def p_margin(self, difference: Difference, margin: float, above: bool) -> float:
        """Return the one-sided p-value of a true difference beyond the margin."""
        return known(difference.p_margin(margin, above))

    def adjust(self, p: float, count: int = 1, sides: int = 2) -> float:
        """Return ``p`` times 0.05 over the level that one of ``count`` tests has here."""
        level = self.level(self.total / count * 2 / sides) * sides / 2
        return p * LEVEL / level if level else 1.0

    def interval(self, difference: Difference, total: float) -> tuple[float, float] | None:
        """Return the interval that is wrong at any planned analysis with a chance of ``total``; None for never."""
        return difference.interval(self.level(total)) if total else None

    def bounds(self, difference: Difference, total: float) -> tuple[float, float] | None:
        """Return a lower and an upper bound, each wrong at any of the planned analyses with a chance of ``total``."""
        return self.interval(difference, 2 * total)


@dataclass(frozen=True)
class Anytime:
    """Tests that hold for a number of seeds that was not planned: they may be repeated after each seed, for ever.

    They need a difference that was taken seed by seed. ``total`` is as that of ``Planned``.
    """

    total: float = RESERVED
    place: int = -1

    def p(self, difference: Difference, null: float = 0.0) -> float:
        """Return the two-sided p-value of a true difference ``null``; it ever falls below a with a chance of at most a.

        One over the Bayes factor of the t-statistic for effects of variance ``SCALE`` in units of the spread's,
        against none: a martingale whatever the spread (Lai, Annals of Statistics 4, 1976; Wang and Ramdas,
        arXiv 2310.03722).
        """
        n, t = difference.n, known(difference.statistic(null))
        r, x = 1 + n * SCALE, t * t / difference.freedom
        evidence = n / 2 * (math.log1p(x) - math.log1p(x / r)) - math.log(r) / 2
        return min(1.0, math.exp(-evidence))

    def p_margin(self, difference: Difference, margin: float, above: bool) -> float:
        """Return the p-value of a true difference beyond the margin; 1 where the measured one is there."""
        edge = margin if above else -margin
        return 1.0 if (difference.mean >= edge) == above else self.p(difference, edge)

    def adjust(self, p: float, count: int = 1, sides: int = 2) -> float:
        """Return ``p`` times 0.05 over the level that one of ``count`` tests has."""
        return p * count * LEVEL / self.total if self.total else 1.0

    def interval(self, difference: Difference, total: float) -> tuple[float, float] | None:
        """Return the differences whose ``p`` is not below ``total``; None where these seeds exclude no number."""
        if difference.error is None or not total:
            return None
        n, r = difference.n, 1 + difference.n * SCALE
        c = math.exp(2 / n * (math.log(r) / 2 - math.log(total)))
        if c >= r:
            return None
        half = math.sqrt(difference.freedom * (c - 1) / (1 - c / r)) * difference.error
        return difference.mean - half, difference.mean + half

    def bounds(self, difference: Difference, total: float) -> tuple[float, float] | None:
        """Return a lower and an upper bound, each of which is ever wrong with a chance of ``total`` at most.

        One side may be wrong as often as both, since the seeds of one training may exclude the truth on both in turn.
        """
        return self.interval(difference, total)


def known(value: float | None) -> float:
    """Return a value of a difference whose spread is known."""
    assert value is not None
    return value


@lru_cache(maxsize=256)
def levels(counts: tuple[int, ...], total: float) -> tuple[float, ...]:
    """Return the two-sided level of a t-test at each of ``counts`` seeds; together they reject with chance ``total``.

    The chance is spent in proportion to the seeds (Kim and DeMets, Biometrika 74, 1987, with rho = 1): up to n of N
    seeds total n / N. The chance of a first rejection at an analysis is counted among simulated studies without a
    difference, whose t-statistics have the same distribution whatever the spread.
    """
    if len(counts) == 1:
        return (total,)
    spent, by_analysis = 0.0, []
    t, alive = _paths(counts), np.ones(PATHS, bool)
    for place, n in enumerate(counts):
        more = total * n / counts[-1] - spent
        level = more  # the union bound, which is right for the first and never too much for the others
        tail = round(more * PATHS)
        if place and tail:
            values = t[place][alive]
            edge = np.partition(values, len(values) - tail)[len(values) - tail]
            level = max(level, 2 * float(stats.t.sf(edge, n - 1)))
        alive &= t[place] < stats.t.isf(level / 2, n - 1)
        spent += more
        by_analysis.append(level)
    return tuple(by_analysis)


@lru_cache(maxsize=2)
def _paths(counts: tuple[int, ...]) -> list[np.ndarray]:
    """Return |t| of simulated studies without a difference, (PATHS,) float32 for each of ``counts``."""
    rng, paths = np.random.default_rng(0), [np.empty(PATHS, np.float32) for _ in counts]
    for start in range(0, PATHS, BLOCK):
        sums, squares, before = np.zeros(BLOCK), np.zeros(BLOCK), 0
        for t, n in zip(paths, counts, strict=True):
            # A group of new seeds by its sum and its squares around its mean, which are independent.
            new = n - before
            part = rng.standard_normal(BLOCK) * math.sqrt(new)
            squares += part**2 / new + (rng.chisquare(new - 1, BLOCK) if new > 1 else 0)
            sums, before = sums + part, n
            if n > 1:
                variance = (squares - sums**2 / n) / (n - 1)
                t[start : start + BLOCK] = np.abs(sums) / np.sqrt(n * variance)
    return paths
