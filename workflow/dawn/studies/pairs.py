"""Two trained networks on the same test images: McNemar's test."""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Right = NDArray[np.bool_]
NORMAL = float(stats.norm.isf(0.025))


@dataclass(frozen=True)
class Pair:
    """Two networks on ``images`` test images; ``only_base`` of them are right with the base alone.

    p         exact and two-sided, of networks that are equally often right on such images
    interval  of 95 % for the difference of the accuracies in percentage points, other minus base
    """

    images: int
    only_base: int
    only_other: int
    p: float
    interval: tuple[float, float]


def mcnemar(base: Right, other: Right) -> Pair:
    """Compare which images (n,) two networks classify rightly.

    Where both are equally good, each image that one alone gets right is equally likely to be either's: a binomial test
    (McNemar, Psychometrika 12, 1947; exact instead of chi-square). The interval is Bonett and Price's adjusted Wald
    interval (Journal of Educational and Behavioral Statistics 37, 2012).
    """
    n, first, second = len(base), int((base & ~other).sum()), int((other & ~base).sum())
    p = float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0
    one, two = ((count + 1) / (n + 2) for count in (first, second))
    half = NORMAL * math.sqrt((one + two - (two - one) ** 2) / (n + 2))
    return Pair(n, first, second, p, (100 * max(-1.0, two - one - half), 100 * min(1.0, two - one + half)))
