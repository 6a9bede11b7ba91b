"""Whether new seeds have the published mean: equivalent within a margin, different, or undecided so far."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from dawn.config.task import Scale


@dataclass(frozen=True)
class Published:
    """What is published of one measure, in its unit.

    n       seeds
    std     sample standard deviation over the seeds; None where it is not published
    values  of the seeds, where they are known
    """

    n: int
    mean: float
    std: float | None = None
    values: tuple[float, ...] = ()

    @classmethod
    def of(cls, values: Sequence[float]) -> "Published":
        """Return what is published where the value of every seed is known."""
        raise NotImplementedError


@dataclass(frozen=True)
class Answer:
    """A verdict on the difference of the means, new minus published, in the unit of the measure.

    seeds       new seeds that the verdict rests on: those of the analysis that decided, else of the last one
    low, high   the interval that the verdict rests on; None where there is none
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


def looks(published: Published, margin: float, most: int) -> tuple[int, ...]:
    """Return the numbers of new seeds, ascending and at most ``most``, at which the difference is analysed.

    Those of a larger ``most`` begin with those of a smaller one, so that going on is as planned.
    """
    raise NotImplementedError


def announced(published: Published, margin: float, new: Sequence[float] = ()) -> int | None:
    """Return how many new seeds in all show equivalence with a chance of 80 % at half the margin; None: no number."""
    raise NotImplementedError


def decide(published: Published, new: Sequence[float], margin: float, scale: Scale) -> Answer:
    """Return the verdict of the first analysis that decides, of those that ``looks`` plans for so many ``new`` seeds.

    The order of ``new`` is that of training. So it may be called after every seed, and again with the same seeds.
    """
    raise NotImplementedError


def single(published: Published, new: Sequence[float], scale: Scale) -> tuple[float, float, bool]:
    """Return the 95 % prediction interval of one training by the new ones, and whether it has the published value."""
    raise NotImplementedError
