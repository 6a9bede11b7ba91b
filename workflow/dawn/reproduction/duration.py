"""Whether new trainings take as long as published ones, on hardware of the same kind."""

from collections.abc import Sequence
from dataclasses import dataclass

from dawn.reproduction.verdict import Published


@dataclass(frozen=True)
class Ratio:
    """New mean time over the published one with its 95 % interval; None where there is none."""

    ratio: float
    low: float | None
    high: float | None
    text: str


def time(published: Published, new: Sequence[float]) -> Ratio:
    """Return the ratio of the mean times."""
    raise NotImplementedError
