"""Numbers with their spread: a mean with Student's interval, a share with Wilson's, and both in words."""

import math
import statistics
from collections.abc import Sequence

from scipy import stats


def spread(values: Sequence[float]) -> dict[str, float | None]:
    """Mean, sample standard deviation and 95 % interval of the mean (null for one value)."""
    mean = statistics.fmean(values)
    if len(values) < 2:
        return {"mean": mean, "std": None, "low": None, "high": None}
    std = statistics.stdev(values)
    half = float(stats.t.ppf(0.975, len(values) - 1)) * std / math.sqrt(len(values))
    return {"mean": mean, "std": std, "low": mean - half, "high": mean + half}


def share(hits: int, trials: int) -> dict[str, float]:
    """A share in percent and its 95 % interval (Wilson)."""
    interval = stats.binomtest(hits, trials).proportion_ci(0.95, method="wilson")
    return {"share": 100 * hits / trials, "low": 100 * float(interval.low), "high": 100 * float(interval.high)}


def interval(value: dict[str, float | None], unit: str, digits: int = 2) -> str:
    """A mean and its interval in words."""
    text = f"{value['mean']:.{digits}f}{unit}"
    if value["low"] is None:
        return text
    return (
        f"{text} (95 % interval {value['low']:.{digits}f} to {value['high']:.{digits}f}, std {value['std']:.{digits}f})"
    )
