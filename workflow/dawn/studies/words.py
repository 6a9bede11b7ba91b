"""Numbers and verdicts as people read them."""

from typing import Any

from dawn.studies.statistics import Judged

DASH = "–"


def interval(value: dict[str, Any] | None, digits: int = 2) -> str:
    """A mean and its 95 % interval, short enough for a table."""
    if value is None:
        return DASH
    mean, low, high = (None if value[k] is None else f"{value[k]:,.{digits}f}" for k in ("mean", "low", "high"))
    return f"{mean}" if low is None else f"{mean} ({low} to {high})"


def signed(judged: Judged) -> str:
    """The difference and its interval."""
    d = judged.difference
    return f"{d.mean:+.2f}" if d.low is None else f"{d.mean:+.2f} ({d.low:+.2f} to {d.high:+.2f})"


def p_value(p: float | None) -> str:
    """A p-value to two digits that count."""
    return DASH if p is None else "< 0.0001" if p < 0.0001 else f"{p:.2g}"


def milliseconds(row: dict[str, Any] | None) -> str:
    """The median and the quartiles of a time, by row of dawn.timing."""
    if row is None:
        return DASH
    return f"{1000 * row['seconds']:.3g} ({1000 * row['low']:.3g} to {1000 * row['high']:.3g})"


def short(judged: Judged) -> str:
    """The verdict in a cell of a table."""
    if judged.verdict != "too few seeds":
        return {"alike": f"within {judged.size:g}"}.get(judged.verdict, judged.verdict)
    needed = judged.needed
    known = judged.difference.known
    return f"cannot tell: {'> 10,000' if needed is None else needed} seeds" if known else "cannot tell"


def sentence(base: str, name: str, judged: Judged, several: int = 1) -> str:
    """The verdict in a sentence; ``several`` is the number of comparisons that the p-value is for."""
    d = judged.difference
    if not d.known:
        why = "one seed has no spread" if d.n < 2 else "their seeds show no spread"
        return f"{name} against {base}: {d.mean:+.2f} points, which says nothing yet, since {why}."
    how = f"{'paired over' if d.paired else 'Welch over'} {d.n} seeds"
    many = f" for {several} comparisons" if several > 1 else ""
    proof = f"95 % interval {d.low:+.2f} to {d.high:+.2f}, p = {p_value(judged.p)}{many}, {how}".replace("= <", "<")
    if judged.verdict in ("better", "worse"):
        return f"{name} is {judged.verdict} than {base} by {abs(d.mean):.2f} points ({proof})."
    if judged.verdict == "alike":
        return f"{name} and {base} differ by less than {judged.size:g} points, if at all ({proof})."
    needed = "more than 10,000" if judged.needed is None else f"{judged.needed:,}"
    return (
        f"{d.n} seeds cannot tell {name} from {base}: {d.mean:+.2f} points ({proof}); to see a difference of "
        f"{judged.size:g} point{'s' * (judged.size != 1)} four times in five would take {needed} seeds at this spread."
    )
