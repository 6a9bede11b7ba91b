"""Whether new trainings take as long as published ones did on hardware of the same kind."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import stdtrit

from dawn.report.numbers import count
from dawn.reproduction.analyses import Published
from dawn.studies.comparisons import LEVEL


@dataclass(frozen=True)
class Ratio:
    """The new mean time over the published one with its 95 % interval; None where there is none."""

    ratio: float
    low: float | None
    high: float | None
    text: str


def time(published: Published, new: Sequence[float]) -> Ratio:
    """Return the ratio of the mean times, of one new seed or more.

    The interval is that of the logarithm of the ratio, whose variance is the sum of those of both means over their
    squares (delta method), with Banerjee's degrees of freedom (``dawn.studies.comparisons``). It is about these
    machines as they were: seeds of one machine share its state.
    """
    mean, seeds = float(np.mean(new)), f"{count(len(new), 'new seed')} and {published.n:,} published"
    ratio = mean / published.mean
    if len(new) < 2 or published.n < 2 or published.std is None:
        return Ratio(ratio, None, None, f"{ratio:.3f} times the published time ({seeds}, too few for an interval).")
    parts = (published.std / published.mean) ** 2 / published.n, (float(np.std(new, ddof=1)) / mean) ** 2 / len(new)
    edges = (float(stdtrit(n - 1, LEVEL / 2)) for n in (published.n, len(new)))
    half = math.sqrt(sum(part * edge**2 for part, edge in zip(parts, edges, strict=True)))
    low, high = ratio * math.exp(-half), ratio * math.exp(half)
    return Ratio(
        ratio, low, high, f"{ratio:.3f} times the published time (95 % interval {low:.3f} to {high:.3f}; {seeds})."
    )
