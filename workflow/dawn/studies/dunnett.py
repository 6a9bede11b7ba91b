"""Dunnett's test of several variants with one base, when it may be used, and the distribution of a spread."""

import math
from functools import lru_cache

import numpy as np
from scipy import optimize, stats
from scipy.special import betainc, ndtr

NODES, WEIGHTS = np.polynomial.legendre.leggauss(100)
DOUBT = 0.5  # p-value of equal spreads, times the comparisons, below which there is no common spread
OWN = 2  # tests that the comparison's own one is adjusted for, where there is a common spread


@lru_cache(maxsize=256)
def spreads(freedom: float) -> tuple[np.ndarray, np.ndarray]:
    """Nodes s of an estimated over the true standard deviation, and weights, (100,) each, to integrate over them."""
    low, high = stats.chi.ppf(1e-14, freedom), stats.chi.isf(1e-14, freedom)
    x = low + (high - low) * (NODES + 1) / 2
    return x / math.sqrt(freedom), WEIGHTS * (high - low) / 2 * stats.chi.pdf(x, freedom)


def dunnett_p(t: float, count: int, freedom: float) -> float:
    """The chance that the largest of ``count`` |t| with one base reaches ``t`` where nothing differs.

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
    """The |t| that the largest of ``count`` reaches with a chance of ``level``."""
    single = float(stats.t.isf(level / 2, freedom))
    most = float(stats.t.isf(level / 2 / count, freedom)) + 1e-9  # Bonferroni's
    return float(optimize.brentq(lambda t: dunnett_p(t, count, freedom) - level, single - 1e-9, most))


def alike(own: np.ndarray, common: np.ndarray, few: float, many: float) -> np.ndarray:
    """Whether the variants of studies spread alike as far as their seeds show, so that one spread may serve for all.

    ``own`` (..., comparisons) are the squared standard errors by the spread of the two variants alone, with ``few``
    degrees of freedom if these spread alike; ``common`` (...) are those by all variants, with ``many``. The sum of
    squares of a comparison is then a beta distributed part of that of all. A test of this at 5 % finds spreads that
    matter far too rarely, so any doubt counts. Together with the demand that the comparison's own test, adjusted for
    ``OWN`` tests, rejects as well, that keeps the error of a study at any ratio of the spreads
    (tests/bench/intervals.py).
    """
    if many <= few:
        return np.zeros(common.shape, bool)
    part = np.clip(own * few / (common[..., None] * many), 0, 1)
    chance = betainc((many - few) / 2, few / 2, 1 - part)  # to exceed it
    found: np.ndarray = chance.min(-1) * own.shape[-1] >= DOUBT
    return found
