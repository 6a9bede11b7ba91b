"""The verdict on new seeds: they have the published mean within a margin, another one, or it is undecided so far."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from dawn.config.task import Scale
from dawn.config.types import MOST_SEEDS
from dawn.core.cli import InputError
from dawn.report.numbers import count
from dawn.reproduction.analyses import PREDICTED, Array, Counts, Published, analyse, looks, planned
from dawn.reproduction.single import single
from dawn.studies.comparisons import cut, reach


@dataclass(frozen=True)
class Answer:
    """A verdict on the difference of the means, new minus published, in the unit of the measure.

    seeds       new seeds that the verdict rests on: those of the analysis that decided, else of the last one
    low, high   the bounds of an equivalence, of 95 % each, else the 95 % interval; None where there is none
    more        of an undecided one: about how many more new seeds would decide; None where it cannot be said
    text        the verdict in a sentence
    """

    verdict: Literal["equivalent", "different", "undecided"]
    seeds: int
    difference: float
    low: float | None
    high: float | None
    more: int | None
    text: str


def decide(published: Published, new: Sequence[float], margin: float, scale: Scale) -> Answer:
    """Return the verdict of the first analysis that decides, of those that ``looks`` plans for so many ``new`` seeds.

    The order of ``new`` is that of training. So it may be called after every seed, and again with the same seeds. It
    supposes that the published seeds are independent (``dawn.reproduction.spread``).
    """
    if not new:
        raise InputError("there is no new seed yet, so nothing can be compared")
    if published.n == 1:
        return _of_single(published, new, margin, scale)
    plan, counts = planned(published, margin), looks(published, margin, len(new))
    if not counts:
        difference = float(np.mean(new)) - published.mean
        text = f"Undecided: {_number(difference, margin)} after {count(len(new), 'new seed')}; {plan[0]} are needed."
        return Answer("undecided", len(new), difference, None, None, plan[0] - len(new), text)
    result = analyse(published.n, published.mean, published.variance, _moments(new, counts), margin, plan, counts)
    decided = np.flatnonzero(result.equivalent | result.different)
    place = int(decided[0]) if len(decided) else len(counts) - 1
    verdict: Literal["equivalent", "different", "undecided"] = "undecided"
    if len(decided):
        verdict = "equivalent" if result.equivalent[place] else "different"
    difference = float(result.difference[place])
    half = float((result.bounds if verdict == "equivalent" else result.interval)[place])
    furthest = reach({"published": -1.0, "new": 1.0}, scale)
    ends = cut((difference - half, difference + half) if half > 0 else None, furthest)
    more = None if len(decided) or ends is None else _more(published, new, margin, plan, counts)
    text = _sentence(verdict, published, counts[place], difference, ends, margin, more)
    low, high = ends or (None, None)
    return Answer(verdict, counts[place], difference, low, high, more, text)


def _moments(new: Sequence[float], counts: Sequence[int]) -> tuple[Array, Array]:
    """Return mean and variance of the first seeds, of each of ``counts``."""
    parts = [np.array(new[:number], float) for number in counts]
    return np.array([part.mean() for part in parts]), np.array([part.var(ddof=1) for part in parts])


def _more(published: Published, new: Sequence[float], margin: float, plan: Counts, done: Counts) -> int | None:
    """Return how many seeds more would decide if mean and spread stayed as they are; None over 10,000."""
    counts = looks(published, margin, MOST_SEEDS)
    means, variances = (np.full(len(counts), values[-1]) for values in _moments(new, done))
    result = analyse(published.n, published.mean, published.variance, (means, variances), margin, plan, counts)
    deciding = [m for m, yes in zip(counts, result.equivalent | result.different, strict=True) if yes and m > done[-1]]
    return max(1, deciding[0] - len(new)) if deciding else None


def _sentence(
    verdict: str, published: Published, seeds: int, difference: float, ends: tuple[float, float] | None,
    margin: float, more: int | None,
) -> str:  # fmt: skip
    side = "higher" if difference > 0 else "lower"
    head = {
        "equivalent": f"Equivalent within {margin:g}",
        "different": f"Different: {side} than published",
        "undecided": "Undecided",
    }[verdict]
    seeds_of_both = f"{count(seeds, 'new seed')} and {published.n:,} published"
    if ends is None:
        return f"{head}: {_number(difference, margin)}; {seeds_of_both} show no spread, so there is no interval."
    kind = "95 % bounds" if verdict == "equivalent" else "95 % interval"
    span = " to ".join(_number(end, margin) for end in ends)
    text = f"{head}: new minus published {_number(difference, margin)} ({kind} {span}; {seeds_of_both})."
    if published.std is None:
        text += " No spread is published; that of the new seeds is taken for both."
    if verdict == "undecided":
        text += " " + (f"About {more:,} more would decide." if more else _hopeless(published, margin))
    return text


def _hopeless(published: Published, margin: float) -> str:
    return f"At this difference and spread no number of new seeds decides {margin:g} against {published.n:,} published."


def _number(value: float, margin: float) -> str:
    """Return a difference with two significant digits of the margin."""
    return f"{value:+.{max(0, 1 - math.floor(math.log10(margin)))}f}"


def _of_single(published: Published, new: Sequence[float], margin: float, scale: Scale) -> Answer:
    """Return what can be said of a single published training, which has no interval."""
    new = new[:PREDICTED]
    difference = float(np.mean(new)) - published.mean
    shown = _number(difference, margin)
    if len(new) < 3:
        text = f"Undecided: {shown} after {count(len(new), 'new seed')}, and one published training has no interval."
    else:
        low, high, inside = single(published, new, scale)
        text = (
            f"Undecided, since one published training has no interval: new minus published {shown}. The 95 % "
            f"prediction interval of one training by {count(len(new), 'new seed')} {'contains' if inside else 'misses'}"
            f" the published {published.mean:g}: {_number(low, margin)[1:]} to {_number(high, margin)[1:]}."
        )
    return Answer("undecided", len(new), difference, None, None, None, text)
