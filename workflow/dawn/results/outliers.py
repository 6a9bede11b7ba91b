"""Seeds that make a mean misleading: those that learned nothing, and those far from the others."""

import math
import statistics
from collections.abc import Mapping, Sequence

from scipy import stats

LEVEL = 0.05  # the chance that one of several seeds with normally distributed accuracies is named
ERRORS = 3  # standard errors of an accuracy; a smaller difference may come from the choice of the test images


def at_chance(accuracies: Mapping[int, float], confusion: Sequence[Sequence[int]]) -> list[int]:
    """The seeds that learned nothing: no better than naming the most frequent class each time.

    ``accuracies`` in percent by seed; ``confusion`` (classes, classes), actual by predicted, of one of them. A seed is
    above chance if it is more than three standard errors of an accuracy above it.
    """
    actual = [sum(row) for row in confusion]
    chance = 100 * max(actual) / sum(actual)
    limit = chance + ERRORS * standard_error(chance, sum(actual))
    return [seed for seed, accuracy in accuracies.items() if accuracy <= limit]


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


def standard_error(accuracy: float, images: int) -> float:
    """That of an accuracy in percent over so many images, in percentage points (binomial)."""
    return math.sqrt(accuracy * (100 - accuracy) / images)
