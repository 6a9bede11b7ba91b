"""Numbers over seeds: means, fractions and times with 95 % intervals that stay in the possible range."""

import math
import statistics
from collections.abc import Sequence
from typing import Literal

from scipy import stats

Scale = Literal["fraction", "percent", "similarity", "positive", "any"]
BOUNDS = {"fraction": (0.0, 1.0), "percent": (0.0, 100.0), "similarity": (-1.0, 1.0)}


def spread(values: Sequence[float], scale: Scale) -> dict[str, float | None]:
    """Mean, sample standard deviation and 95 % interval of the mean.

    For values of ``any`` sign the interval is Student's, mean +- t std / sqrt(n). For values between two bounds it is
    Student's on the scale g = logit of where the mean is between them, for positive quantities on g = log(mean):
    g +- t g'(mean) std / sqrt(n), transformed back (the delta method, as in Stata's logit intervals of proportions). So
    it stays between the bounds or above 0, and where the spread is small it is the same.

    One value has no spread, and equal values show none: their interval is null.
    """
    mean = statistics.fmean(values)
    if len(values) < 2:
        return {"mean": mean, "std": None, "low": None, "high": None}
    std = statistics.stdev(values)
    if std == 0:
        return {"mean": mean, "std": std, "low": None, "high": None}
    half = float(stats.t.ppf(0.975, len(values) - 1)) * std / math.sqrt(len(values))
    low, high = (_moved(mean, sign * half, scale) for sign in (-1, 1))
    return {"mean": mean, "std": std, "low": low, "high": high}


def _moved(mean: float, distance: float, scale: Scale) -> float:
    """The mean, moved on its scale by as much as ``distance`` is at the mean."""
    if scale == "any":
        return mean + distance
    if scale == "positive":
        return mean * math.exp(min(distance / mean, 700.0))  # exp(710) is infinite
    least, most = BOUNDS[scale]
    below, above = mean - least, most - mean
    logit = math.log(below / above) + (most - least) * distance / (below * above)
    return least + (most - least) / (1 + math.exp(min(-logit, 700.0)))


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
    is null where no seed reached it; there is no interval where one did, or where the times are equal.
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
