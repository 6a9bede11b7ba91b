"""Numbers as pages and tables print them."""

import math
from collections.abc import Mapping
from typing import Any

DASH = "–"  # where there is no number


def interval(value: Mapping[str, Any] | None, digits: int = 2, unit: str = "") -> str:
    """A mean and its 95 % interval, short enough for a table: ``94.01 % (93.88 to 94.14)``.

    ``value`` has mean, low and high, as from ``dawn.results.statistics``; without an interval the mean stands alone, or
    with the values of two seeds.
    """
    if value is None or value["mean"] is None:
        return DASH
    text = f"{value['mean']:,.{digits}f}{unit}"
    if limits := ends(value, digits):
        return f"{text} ({limits})"
    return f"{text} ({both})" if (both := two_seeds(value, digits)) else text


def ends(value: Mapping[str, Any], digits: int) -> str | None:
    """An interval alone; None where there is none."""
    if value["low"] is None or value["high"] is None:
        return None
    return f"{value['low']:,.{digits}f} to {value['high']:,.{digits}f}"


def two_seeds(value: Mapping[str, Any], digits: int) -> str | None:
    """The values of two seeds, which have a spread and no interval: ``two seeds: 98.00 and 99.50, no interval``.

    Two values are their mean -+ std / sqrt(2). None where there is an interval, or no spread.
    """
    if value["low"] is not None or not value.get("std"):
        return None
    half = value["std"] / math.sqrt(2)
    low, high = (f"{value['mean'] + sign * half:,.{digits}f}" for sign in (-1, 1))
    return f"two seeds: {low} and {high}, no interval"


def limits(value: Mapping[str, Any], digits: int) -> str:
    """An interval alone, for a cell of a table, or why there is none."""
    if between := ends(value, digits):
        return between
    return DASH if value.get("std") is None else two_seeds(value, digits) or "none, all equal"


def described(value: Mapping[str, Any], digits: int = 2, unit: str = "") -> str:
    """A mean with its interval and standard deviation, for a sentence."""
    mean = f"{value['mean']:,.{digits}f}{unit}"
    if value["std"] is None:
        return mean
    if between := ends(value, digits):
        return f"{mean} (95 % interval {between}, std {value['std']:,.{digits}f})"
    return f"{mean} ({two_seeds(value, digits) or 'equal in all seeds, so without an interval'})"


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
