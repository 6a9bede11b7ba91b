"""Several comparisons in one study: p-values that hold for all together, by Holm's procedure or Dunnett's test."""

import math
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from typing import TypeVar

import numpy as np
from scipy import optimize, stats
from scipy.special import betainc, ndtr

from dawn.studies.comparisons import LEVEL

Hypothesis = tuple[int, str]  # the number of a comparison, and what is supposed of it
Value = TypeVar("Value", float, tuple[float, float])


class Family:
    """Hypotheses of which at most one of each comparison is true. Those that are rejected leave it for good.

    ``adjusted`` has the p-values of the last test, each below 0.05 where the hypothesis was rejected. As many
    hypotheses can be true as there are comparisons with one that stands: the multiplicity at each step down. With one
    hypothesis a comparison this is Holm's procedure (Scand. J. Statist. 6, 1979), with several Shaffer's (JASA 81,
    1986); over several analyses, Maurer and Bretz's (Statistics in Biopharmaceutical Research 5, 2013).

    ``more`` comparisons count and are never tested: those that could have been chosen in place of these. With
    ``all_at_once`` no rejection helps the others: the multiplicity is always that of all comparisons (Bonferroni). Then
    statements about a difference hold for any margin that is chosen after the results were seen: of a true difference d
    they are false on one side alone, for margins of at most |d|, and whatever is rejected at one of those is at |d|.
    """

    def __init__(self, hypotheses: Collection[Hypothesis], more: int = 0, all_at_once: bool = False) -> None:
        self.standing, self.more = set(hypotheses), more
        self.adjusted: dict[Hypothesis, float] = {}
        self.fixed = self._count(self.standing) if all_at_once else None

    def test(self, values: Mapping[Hypothesis, Value], adjust: Callable[[Value, int], float]) -> None:
        """Test what stands by its value, the smallest first; ``adjust`` makes a p-value of it and a multiplicity.

        Hypotheses without a value are not tested now, and count.
        """
        left, highest = set(self.standing), 0.0  # the largest p-value so far: adjusted ones never fall
        for value, hypothesis in sorted((values[h], h) for h in self.standing if h in values):
            count = self._count(left) if self.fixed is None else self.fixed
            highest = max(highest, min(1.0, adjust(value, count)))
            self.adjusted[hypothesis] = highest
            left.remove(hypothesis)
        self.standing = {h for h in self.standing if not self.rejected(h)}

    def _count(self, hypotheses: Collection[Hypothesis]) -> int:
        """Count the comparisons that have one of these hypotheses, and those that are never tested."""
        return len({comparison for comparison, _ in hypotheses}) + self.more

    def rejected(self, hypothesis: Hypothesis) -> bool:
        """Return whether the hypothesis was rejected."""
        return self.adjusted.get(hypothesis, 1.0) < LEVEL


NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)
DOUBT = 0.5  # p-value of equal spreads, times the comparisons, below which there is no common spread
SEPARATE = 2  # tests that a comparison's test by its two variants alone is adjusted for, where there is a common spread


@lru_cache(maxsize=256)
def spreads(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Return nodes s of an estimated over the true standard deviation, and weights, (100,) each, for an integral."""
    low, high = stats.chi.ppf(1e-14, freedom), stats.chi.isf(1e-14, freedom)
    x = low + (high - low) * (NODES + 1) / 2
    return x / math.sqrt(freedom), WEIGHTS * (high - low) / 2 * stats.chi.pdf(x, freedom)


def dunnett_p(t: float, count: int, freedom: float) -> float:
    """Return the chance that the largest of ``count`` |t| with one base reaches ``t`` where nothing differs.

    Dunnett, JASA 50, 1955, for equal numbers of seeds: the statistics then have the correlation 1/2. Given the base's
    mean (normal) and the estimated spread s (chi) they are independent; both are integrated over.
    """
    nodes, weights = np.polynomial.hermite_e.hermegauss(48)
    s, of_s = spreads(freedom)
    edge, root = t * s[:, None], math.sqrt(0.5)
    inside = ndtr(edge / root + nodes) - ndtr(-edge / root + nodes)
    return float(np.clip(1 - of_s @ inside**count @ (weights / weights.sum()), 0, 1))


@lru_cache(maxsize=256)
def dunnett_edge(level: float, count: int, freedom: float) -> float:
    """Return the |t| that the largest of ``count`` reaches with a chance of ``level``."""
    single = float(stats.t.isf(level / 2, freedom))
    most = float(stats.t.isf(level / 2 / count, freedom)) + 1e-9  # Bonferroni's
    return float(optimize.brentq(lambda t: dunnett_p(t, count, freedom) - level, single - 1e-9, most))


def alike(squares: np.ndarray, common: np.ndarray, few: float, many: float) -> np.ndarray:
    """Return whether the variants of studies spread alike as far as their seeds show: one spread may serve for all.

    ``squares`` (..., comparisons) are the squared standard errors by the spread of the two variants alone, with ``few``
    degrees of freedom if these spread alike; ``common`` (...) are those by all variants, with ``many``. The sum of
    squares of a comparison is then a beta distributed part of that of all. A test of this at 5 % finds spreads that
    matter far too rarely, so any doubt counts. Together with the demand that the comparison's own test, adjusted for
    ``SEPARATE`` tests, rejects as well, that keeps the error of a study at any ratio of the spreads
    (tests/bench/intervals.py).
    """
    if many <= few:
        return np.zeros(common.shape, bool)
    part = np.clip(squares * few / (common[..., None] * many), 0, 1)
    chance = betainc((many - few) / 2, few / 2, 1 - part)  # to exceed it
    return np.asarray(chance.min(-1) * squares.shape[-1] >= DOUBT)
