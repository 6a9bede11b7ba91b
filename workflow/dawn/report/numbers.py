"""Numbers as pages and tables print them."""

from collections.abc import Mapping
from typing import Any

DASH = "–"  # where there is no number


def interval(value: Mapping[str, Any] | None, digits: int = 2, unit: str = "") -> str:
    """A mean and its 95 % interval, short enough for a table: ``94.01 % (93.88 to 94.14)``.

    ``value`` has mean, low and high, as from ``dawn.results.statistics``; without an interval the mean stands alone.
    """
    if value is None or value["mean"] is None:
        return DASH
    text = f"{value['mean']:,.{digits}f}{unit}"
    if value["low"] is None or value["high"] is None:
        return text
    return f"{text} ({value['low']:,.{digits}f} to {value['high']:,.{digits}f})"


def described(value: Mapping[str, Any], digits: int = 2, unit: str = "") -> str:
    """A mean with its interval and standard deviation, for a sentence; equal values have no interval."""
    mean = f"{value['mean']:,.{digits}f}{unit}"
    if value["std"] is None:
        return mean
    if value["low"] is None:
        return f"{mean} (equal in all seeds, so without an interval)" if value["std"] == 0 else f"{mean} (no interval)"
    low, high, std = (f"{value[name]:,.{digits}f}" for name in ("low", "high", "std"))
    return f"{mean} (95 % interval {low} to {high}, std {std})"


def std(value: Mapping[str, Any], digits: int = 2) -> str:
    """A sample standard deviation; a dash for a single value."""
    return DASH if value["std"] is None else f"{value['std']:,.{digits}f}"


def fraction(value: Mapping[str, Any]) -> str:
    """A fraction in percent and its 95 % interval, as from ``dawn.results.statistics``, if there is one."""
    if value["low"] is None:
        return f"{value['share']:.0f} %"
    return f"{value['share']:.0f} % ({value['low']:.0f} to {value['high']:.0f})"


def p_value(p: float | None) -> str:
    """A p-value to two significant digits."""
    return DASH if p is None else "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def count(number: int, noun: str) -> str:
    """``1 seed``, ``3 seeds``."""
    return f"{number:,} {noun}{'s' * (number != 1)}"
