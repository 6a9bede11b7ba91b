"""Numbers over seeds: means, fractions and times with 95 % intervals that stay in the possible range."""

import math
import statistics
from collections.abc import Sequence

from scipy import stats

from dawn.config.task import Scale

BOUNDS = {"fraction": (0.0, 1.0), "percent": (0.0, 100.0), "similarity": (-1.0, 1.0)}


def spread(values: Sequence[float], scale: Scale, images: int | None = None) -> dict[str, float | None]:
    """Mean, sample standard deviation and 95 % interval of the mean.

    The interval is Student's in the form of a score interval: all means m whose distance from the measured one is at
    most t std sqrt(V(m) / V(mean)) / sqrt(n). V says how a variance goes with the mean: as (m - least) (most - m)
    between two bounds, which is Wilson's interval (JASA 22, 1927) with the variance that the seeds show in place of the
    binomial one; as m for positive quantities; not at all for ``any``. So it stays between the bounds or above 0, and
    where the spread is small it is mean +- t std / sqrt(n).

    One value has no spread, and two do not bound their mean: both have no interval. Equal values show no spread; of
    percentages of ``images`` each, they have the binomial interval of all their images (Clopper and Pearson).
    tests/bench/intervals.py has the coverage.
    """
    n, mean = len(values), statistics.fmean(values)
    std = statistics.stdev(values) if n > 1 else None
    low: float | None = None
    high: float | None = None
    if n > 2 and std:
        low, high = _ends(mean, float(stats.t.isf(0.025, n - 1)) * std / math.sqrt(n), scale)
    elif n > 2 and images is not None and scale in BOUNDS:
        least, most = BOUNDS[scale]
        hits = round(n * images * (mean - least) / (most - least))
        exact = stats.binomtest(hits, n * images).proportion_ci(0.95, method="exact")
        low, high = (least + (most - least) * float(end) for end in (exact.low, exact.high))
    return {"mean": mean, "std": std, "low": low, "high": high}


def _ends(mean: float, half: float, scale: Scale) -> tuple[float, float]:
    """The score interval whose half width would be ``half`` if the variance did not go with the mean."""
    if scale == "any":
        return mean - half, mean + half
    if scale == "positive":
        ratio = half / mean
        move, arm = half * ratio / 2, half * math.sqrt(1 + ratio**2 / 4)
        return mean**2 / (mean + move + arm), mean + move + arm  # the product of the ends is the mean's square
    return score(mean, half, *BOUNDS[scale])


def score(mean: float, half: float, least: float, most: float) -> tuple[float, float]:
    """Wilson's interval of a mean between two bounds, whose half width in the middle of them would be near ``half``."""
    width = most - least
    p = (mean - least) / width
    if not 0 < p < 1:
        return mean, mean
    z2 = (half / width) ** 2 / (p * (1 - p))  # of Wilson's formula, over the number of trials
    middle, arm = (p + z2 / 2) / (1 + z2), math.sqrt(z2 * p * (1 - p) + z2**2 / 4) / (1 + z2)
    return least + width * (middle - arm), least + width * (middle + arm)


def robust(values: Sequence[float]) -> dict[str, float]:
    """The median, and the interquartile mean: that of the middle half of the sorted values.

    A value at an edge of the middle half counts by the part of it that is inside. Agarwal et al., arXiv 2108.13264,
    recommend this mean for a few runs of which some may fail.
    """
    n = len(values)
    inside = [max(0.0, min(i + 1, 0.75 * n) - max(i, 0.25 * n)) for i in range(n)]
    middle = sum(weight * value for weight, value in zip(inside, sorted(values), strict=True)) / (n / 2)
    return {"median": statistics.median(values), "interquartile_mean": middle}


def fraction(hits: int, trials: int) -> dict[str, float]:
    """A fraction in percent and its 95 % interval (Wilson)."""
    interval = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return {"share": 100 * hits / trials, "low": 100 * float(interval.low), "high": 100 * float(interval.high)}


def expected_time(reached: Sequence[float | None], whole: Sequence[float]) -> dict[str, float | None]:
    """Expected time to target, in seconds, if seeds are trained one after the other until one reaches the target.

    ``reached`` holds the time to target of each seed (None: never), ``whole`` the time of its whole training. The value
    is all time spent until the target or the end, divided by the number k of seeds that reached it (the expected
    running time of Auger and Hansen, CEC 2005). It equals m + T (n - k) / k, m being the mean of the k times to target
    and T the mean time of the failed seeds, or of all where none failed.

    Its interval combines that of m with Wilson's of k / n by the square-and-add method (Zou and Donner, Statistics in
    Medicine 27, 2008). So it extends far upward where a few seeds all reached the target, since the next may not. All
    is null where no seed reached it; there is no interval where fewer than three did, or where the times are equal.
    """
    times = [seconds for seconds in reached if seconds is not None]
    if not times:
        return {"mean": None, "low": None, "high": None}
    to_target, hits = spread(times, "positive"), fraction(len(times), len(reached))
    failed = [training for seconds, training in zip(reached, whole, strict=True) if seconds is None]
    lost = statistics.fmean(failed or whole)
    odds, least, most = (100 / hits[name] - 1 for name in ("share", "high", "low"))  # of failures
    mean, low, high = (to_target[name] for name in ("mean", "low", "high"))
    assert mean is not None
    expected = mean + lost * odds
    if low is None or high is None:
        return {"mean": expected, "low": None, "high": None}
    return {
        "mean": expected,
        "low": expected - math.hypot(mean - low, lost * (odds - least)),
        "high": expected + math.hypot(high - mean, lost * (most - odds)),
    }
