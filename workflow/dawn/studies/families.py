"""Several hypotheses in one study: p-values that hold for all of them together."""

from collections.abc import Callable, Collection, Mapping
from typing import TypeVar

from dawn.studies.comparisons import LEVEL

Hypothesis = tuple[int, str]  # the number of a comparison, and what is supposed of it
Value = TypeVar("Value", float, tuple[float, float])


class Family:
    """Hypotheses of which at most one of each comparison is true. Those that are rejected leave it for good.

    ``adjusted`` has the p-values of the last test, each below 0.05 where the hypothesis was rejected. As many
    hypotheses can be true as there are comparisons with one that stands: the multiplicity at each step down. With one
    hypothesis a comparison this is Holm's procedure (Scand. J. Statist. 6, 1979), with several Shaffer's (JASA 81,
    1986); over several analyses, Maurer and Bretz's (Statistics in Biopharmaceutical Research 5, 2013).

    ``more`` comparisons count and are never tested: those that could have been chosen in place of these. With
    ``all_at_once`` no rejection helps the others: the multiplicity is always that of all comparisons (Bonferroni). Then
    statements about a difference hold for any margin that is chosen after the results were seen: of a true difference d
    they are false on one side alone, for margins of at most |d|, and whatever is rejected at one of those is at |d|.
    """

    def __init__(self, hypotheses: Collection[Hypothesis], more: int = 0, all_at_once: bool = False) -> None:
        self.standing, self.more = set(hypotheses), more
        self.adjusted: dict[Hypothesis, float] = {}
        self.fixed = self._count(self.standing) if all_at_once else None

    def test(self, values: Mapping[Hypothesis, Value], adjust: Callable[[Value, int], float]) -> None:
        """Test what stands by its value, the smallest first; ``adjust`` makes a p-value of it and a multiplicity.

        Hypotheses without a value are not tested now, and count.
        """
        left, highest = set(self.standing), 0.0  # the largest p-value so far: adjusted ones never fall
        for value, hypothesis in sorted((values[h], h) for h in self.standing if h in values):
            count = self._count(left) if self.fixed is None else self.fixed
            highest = max(highest, min(1.0, adjust(value, count)))
            self.adjusted[hypothesis] = highest
            left.remove(hypothesis)
        self.standing = {h for h in self.standing if not self.rejected(h)}

    def _count(self, hypotheses: Collection[Hypothesis]) -> int:
        """The comparisons that have one of these hypotheses, and those that are never tested."""
        return len({comparison for comparison, _ in hypotheses}) + self.more

    def rejected(self, hypothesis: Hypothesis) -> bool:
        """Return whether the hypothesis was rejected."""
        return self.adjusted.get(hypothesis, 1.0) < LEVEL
