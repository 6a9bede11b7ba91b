"""Whether the published seeds spread as independent trainings of the same settings do."""

from collections.abc import Sequence
from dataclasses import dataclass

from dawn.config.task import Scale
from dawn.reproduction.verdict import Published


@dataclass(frozen=True)
class Spread:
    """The variance over the published seeds divided by that over the new ones.

    ratio      None where one of them is not known
    low, high  its 95 % interval
    p          of so small a ratio for seeds that are independent on both sides
    finding    a sentence where that is below 5 %, else None
    """

    ratio: float | None
    low: float | None
    high: float | None
    p: float | None
    finding: str | None


def spread(published: Published, new: Sequence[float], scale: Scale) -> Spread:
    """Return the ratio of the variances; the finding is that the published spread is too small."""
    raise NotImplementedError


def independence(published: Published, new: Sequence[float], scale: Scale) -> Spread:
    """Return the same; the finding is that the published seeds are not independent."""
    raise NotImplementedError
