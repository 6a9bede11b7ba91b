"""What a study says of a comparison."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from dawn.studies.comparisons import LEVEL, Difference
from dawn.studies.power import TTest, seeds_needed

Interval = tuple[float, float]


@dataclass(frozen=True)
class Comparison:
    """Two sides that are compared: their names, and the weight of each variant in the contrast."""

    name: str
    base: str
    weights: Mapping[str, float]


@dataclass(frozen=True)
class Verdict:
    """The verdict of a study on one comparison.

    difference    the measured one; positive where the measure is higher than the base's
    interval      of 95 % for this comparison by itself, whichever analysis ended it
    simultaneous  the intervals of all comparisons together: with a chance of 95 % all of them are right
    bounds        the lower and the upper bound that statements about the margin rest on, each of 95 % for itself
    p             two-sided, of no difference, for this comparison and this analysis alone
    adjusted      the same for all comparisons and analyses, to be compared with 0.05
    not_worse     of the hypothesis that it is worse by the margin or more; adjusted
    not_better    of the hypothesis that it is better by the margin or more; adjusted
    test          the strictest that this comparison is tested by, from which the seeds follow that are needed
    analysis      which analysis it is from, the first is 0
    last          whether no other analysis is planned after it
    planned       whether the seeds were planned
    seeds         of each variant, those that were compared
    common        whether the adjusted p-values need the spread of all variants as well (Dunnett)
    """

    comparison: Comparison
    difference: Difference
    interval: Interval | None
    simultaneous: Interval | None
    bounds: Interval | None
    p: float | None
    adjusted: float | None
    not_worse: float
    not_better: float
    margin: float
    higher: bool
    test: TTest
    analysis: int
    last: bool
    planned: bool
    seeds: Mapping[str, tuple[int, ...]]
    common: bool = False

    @property
    def kind(self) -> str:
        """better | worse | within | not worse | not better | cannot tell."""
        if self.adjusted is not None and self.adjusted < LEVEL:
            return "better" if (self.difference.mean > 0) == self.higher else "worse"
        if self.small:
            return "within"
        return "not worse" if self.not_worse < LEVEL else "not better" if self.not_better < LEVEL else "cannot tell"

    @property
    def p_kind(self) -> float | None:
        """The adjusted p-value that the verdict rests on."""
        match self.kind:
            case "within":
                return max(self.not_worse, self.not_better)
            case "not worse":
                return self.not_worse
            case "not better":
                return self.not_better
        return self.adjusted

    @property
    def small(self) -> bool:
        """Whether the difference, if any, is less than the margin."""
        return self.not_worse < LEVEL and self.not_better < LEVEL

    @property
    def equal(self) -> bool:
        """Whether both sides have the same value in each of several seeds, as if they were one variant."""
        d = self.difference
        alike = d.paired and d.n > 1 and d.error is None and d.mean == 0
        return alike and len(self.comparison.weights) == 2

    @property
    def decided(self) -> bool:
        """Whether the question is answered, so that no more seeds are needed."""
        return self.kind in ("better", "worse", "within")

    @cached_property
    def needed(self) -> int | None:
        """The fewest seeds that detect the margin with a chance of 80 %, should the spread stay; None: no idea."""
        d = self.difference
        return seeds_needed(d.std, self.margin, self.test) if d.std else None
