"""Seeds that make a mean misleading: those at chance, those far from the others, those too much alike."""

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy import stats

LEVEL = 0.05  # the chance that one of several seeds with normally distributed accuracies is named
TOO_EVEN = 0.01  # the chance that independent seeds of any of several variants are said to be too much alike
CHANCE = 0.001  # the chance that a network that learned nothing is said to be better than the most frequent class
ERRORS = 3  # standard errors of an accuracy; a smaller difference may come from the choice of the test images

AT_CHANCE = "no better than always naming the most frequent class"
NOT_SHOWN = "not shown to be better than always naming the most frequent class"


def at_chance(accuracies: Mapping[int, float], confusion: Sequence[Sequence[int]]) -> tuple[list[int], list[int]]:
    """The seeds that are no better than naming the most frequent class each time, and those not shown to be better.

    ``accuracies`` in percent by seed; ``confusion`` (classes, classes), actual by predicted, of one of them. A seed is
    shown to be better if so many hits, or more, have a probability below 0.1 % where each image is a hit with the
    fraction of the most frequent class (exact binomial test). One that is always right is in neither list.
    """
    actual = [sum(row) for row in confusion]
    images, most = sum(actual), max(actual)
    hits = {seed: round(accuracy * images / 100) for seed, accuracy in accuracies.items()}
    no_better = [seed for seed, n in hits.items() if n <= most and n < images]
    unclear = [seed for seed, n in hits.items() if most < n < images and _tail(n, images, most) >= CHANCE]
    return no_better, unclear


def _tail(hits: int, images: int, most: int) -> float:
    """The probability of so many hits or more, each image being one with the probability most / images."""
    return float(stats.binom.sf(hits - 1, images, most / images))


def apart(values: Mapping[int, float], images: int | None) -> list[int]:
    """The seeds whose value is far from the median of all, of three seeds or more.

    Far is more than t times the spread and, of accuracies in percent over so many ``images``, more than three of their
    standard errors. The spread is 1.4826 times the median absolute deviation, which neither one failed seed nor a third
    of them moves. As an estimate of n seeds' standard deviation it has about n / 2 degrees of freedom, and t is the
    quantile of Student's distribution with these at 5 % over all n seeds (Bonferroni).
    """
    n, median = len(values), statistics.median(values.values())
    if n < 3:
        return []
    deviation = statistics.median(abs(value - median) for value in values.values())
    limit = float(stats.t.isf(LEVEL / (2 * n), n // 2)) * 1.4826 * deviation
    if images is not None:
        limit = max(limit, ERRORS * standard_error(median, images))
    return [seed for seed, value in values.items() if abs(value - median) > limit]


def too_even(values: Mapping[str, Sequence[float]], expected: float) -> dict[str, tuple[float, float]]:
    """The variants whose seeds spread less than chance explains: their standard deviation, and p.

    ``values`` are those of the seeds of each variant, ``expected`` the standard deviation of independent seeds. The sum
    of squares (n - 1) s^2 over its square is then chi-square with n - 1 degrees of freedom. ``p`` is the chance of so
    small a sum, adjusted for the number of variants (Bonferroni). Seeds that are all equal are named elsewhere.
    """
    known = {name: v for name, v in values.items() if len(v) > 1}
    suspects = {}
    for name, v in known.items():
        variance, freedom = statistics.variance(v), len(v) - 1
        p = min(1.0, len(known) * float(stats.chi2.cdf(freedom * variance / expected**2, freedom)))
        if variance and p < TOO_EVEN:
            suspects[name] = (math.sqrt(variance), p)
    return suspects


def standard_error(accuracy: float, images: int) -> float:
    """Return that of an accuracy in percent over so many images, in percentage points (binomial).

    With two hits and two misses more (Agresti and Coull, The American Statistician 52, 1998), so that it is not 0 where
    all images are right.
    """
    fraction = (accuracy / 100 * images + 2) / (images + 4)
    return 100 * math.sqrt(fraction * (1 - fraction) / (images + 4))
