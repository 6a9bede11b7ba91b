"""Several hypotheses in one study: p-values that hold for all of them together."""

import math
from collections.abc import Callable, Collection, Mapping
from functools import lru_cache

import numpy as np
from scipy import optimize, stats
from scipy.special import ndtr

from dawn.studies.comparisons import LEVEL
from dawn.studies.power import spreads

Hypothesis = tuple[int, str]  # the number of a comparison, and what is supposed of it


class Family:
    """Hypotheses of which at most one of each comparison is true. Those that are rejected leave it for good.

    ``adjusted`` has the p-values of the last test, each below 0.05 where the hypothesis was rejected. As many
    hypotheses can be true as there are comparisons with one that stands: the multiplicity at each step down. With one
    hypothesis a comparison this is Holm's procedure (Scand. J. Statist. 6, 1979), with several Shaffer's (JASA 81,
    1986); over several analyses, Maurer and Bretz's (Statistics in Biopharmaceutical Research 5, 2013).
    """

    def __init__(self, hypotheses: Collection[Hypothesis]) -> None:
        self.standing = set(hypotheses)
        self.adjusted: dict[Hypothesis, float] = {}

    def test(self, values: Mapping[Hypothesis, float], adjust: Callable[[float, int], float]) -> None:
        """Test what stands by its value, the smallest first; ``adjust`` makes a p-value of it and a multiplicity.

        Hypotheses without a value are not tested now, and count.
        """
        left, highest = set(self.standing), 0.0
        for value, hypothesis in sorted((values[h], h) for h in self.standing if h in values):
            count = len({comparison for comparison, _ in left})
            highest = max(highest, min(1.0, adjust(value, count)))
            self.adjusted[hypothesis] = highest
            left.remove(hypothesis)
        self.standing = {h for h in self.standing if not self.rejected(h)}

    def rejected(self, hypothesis: Hypothesis) -> bool:
        """Whether it was."""
        return self.adjusted.get(hypothesis, 1.0) < LEVEL


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
