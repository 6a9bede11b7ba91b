"""The analyses of a study: at each planned number of seeds, which comparisons are decided."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from dawn.config.task import Scale
from dawn.studies.comparisons import LEVEL, Difference, Values, contrast, cut, pooled, reach
from dawn.studies.multiple import SEPARATE, Family, alike, dunnett_edge, dunnett_p
from dawn.studies.power import TTest
from dawn.studies.sequential import PLANNED, RESERVED, Anytime, Planned
from dawn.studies.verdicts import Comparison, Interval, Verdict

Shared = Callable[[Collection[str]], bool]
Differences = Mapping[int, Difference]  # by the number of the comparison
Seeds = Mapping[int, Mapping[str, tuple[int, ...]]]  # of each variant in it, likewise
SAME, WORSE, BETTER = "no difference", "worse by the margin", "better by the margin"


@dataclass(frozen=True)
class Design:
    """The analysis of a study, all of which is chosen before its results are seen.

    comparisons  what is compared
    counts       the seeds of each planned analysis; one number for a fixed study
    margin       the difference that would matter, in the units of the measure
    higher       whether a higher value of the measure is the better one
    test         holm: each comparison with its own spread | dunnett: all with one base, and with one pooled spread as
                 far as the variants spread alike
    planned      chance that the planned analyses reject with, all comparisons together; see dawn.studies.allocation
    unplanned    the same of seeds that were not planned
    more         comparisons that count and are not tested: those that could have been chosen in place of these
    scale        the range of the measure, at which intervals of differences end
    any_margin   whether another margin was to be compared with at first, so that statements about it hold for all
    """

    comparisons: Sequence[Comparison]
    counts: tuple[int, ...]
    margin: float
    higher: bool = True
    test: str = "holm"
    planned: float = PLANNED
    unplanned: float = RESERVED
    more: int = 0
    any_margin: bool = False
    scale: Scale = "any"

    @property
    def size(self) -> int:
        """The comparisons that share the level."""
        return len(self.comparisons) + self.more


class Analyses:
    """The verdicts of a study, after one analysis and the next.

    ``shared`` says whether some variants have equal batches at equal seeds, so that they are compared seed by seed.
    ``verdicts`` has None for a comparison whose variants lack the seeds of the first analysis.
    """

    def __init__(self, design: Design, shared: Shared) -> None:
        self.design, self.shared = design, shared
        self.verdicts: list[Verdict | None] = [None] * len(design.comparisons)
        places = range(len(self.verdicts))
        self.same = Family([(i, SAME) for i in places], design.more)
        self.margins = Family([(i, side) for i in places for side in (WORSE, BETTER)], design.more, design.any_margin)

    @property
    def undecided(self) -> dict[int, Comparison]:
        """The comparisons that more seeds may decide."""
        pairs = enumerate(zip(self.design.comparisons, self.verdicts, strict=True))
        return {i: comparison for i, (comparison, verdict) in pairs if verdict is None or not verdict.decided}

    def planned(self, values: Values) -> None:
        """Analyse ``values``, of each variant by seed in the order of the plan, at each planned number of seeds."""
        for place, count in enumerate(self.design.counts):
            first = {name: dict(list(v.items())[:count]) for name, v in values.items()}
            self._analyse(self._ready(first, count), first, place)

    def _ready(self, values: Values, count: int) -> dict[int, Comparison]:
        """Return the undecided comparisons with as many seeds.

        Dunnett's test pools the spread of all that are not decided. Were it taken without a variant that was seen and
        deleted, deleting the ones that spread would make the rest significant: so it waits for all that were seen.
        """
        ready = {i: c for i, c in self.undecided.items() if all(len(values[name]) == count for name in c.weights)}
        seen = [i for i, c in self.undecided.items() if all(values[name] for name in c.weights)]
        return {} if self.design.test == "dunnett" and len(ready) < len(seen) else ready

    def once(self, values: Values) -> None:
        """Analyse all values, whose seeds may be of other numbers for each variant."""
        self._analyse(self.undecided, values, 0)

    def _analyse(self, ready: Mapping[int, Comparison], values: Values, place: int) -> None:
        differences = {i: contrast(values, c.weights, self.shared(c.weights)) for i, c in ready.items()}
        seeds = {i: {name: tuple(values[name]) for name in c.weights} for i, c in ready.items()}
        test = Planned(self.design.counts, place, self.design.planned)
        self._test(differences, seeds, test, self._common(differences, values))

    def unplanned(self, values: Values) -> None:
        """Analyse all seeds, of a number that was not planned: differences seed by seed in their order."""
        differences, seeds = {}, {}
        for i, comparison in self.undecided.items():
            n = min(len(values[name]) for name in comparison.weights)
            by_place = {name: dict(enumerate(list(values[name].values())[:n])) for name in comparison.weights}
            if n:
                differences[i] = contrast(by_place, comparison.weights, True)
                seeds[i] = {name: tuple(values[name])[:n] for name in comparison.weights}
        self._test(differences, seeds, Anytime(self.design.unplanned), {})

    def _common(self, differences: Differences, values: Values) -> Differences:
        """Return the differences by one spread for all variants, if Dunnett's test is wanted and all are alike."""
        known = {i: d for i, d in differences.items() if d.error is not None}
        if self.design.test != "dunnett" or not known:
            return {}
        taken = {name: values[name] for i in differences for name in self.design.comparisons[i].weights}
        common = {i: pooled(taken, self.design.comparisons[i].weights, self.shared(taken)) for i in known}
        first = next(iter(common.values()))
        squares = np.array([d.error for d in known.values()], float) ** 2
        few = (first.n - 1) * (1 if first.paired else 2)
        if first.error is None or not alike(squares, np.array(first.error**2), few, first.freedom):
            return {}
        return common

    def _test(self, differences: Differences, seeds: Seeds, test: Planned | Anytime, common: Differences) -> None:
        """Test all hypotheses on these differences, and add the verdicts.

        With ``common``, a hypothesis has to be rejected by the common spread and by that of its own variants.
        """
        known = {i: d for i, d in differences.items() if d.error is not None}
        sides = [(i, side, (side == BETTER) == self.design.higher) for i in known for side in (WORSE, BETTER)]
        margin = self.design.margin
        if common:
            freedom = next(iter(common.values())).freedom
            self.same.test(
                {(i, SAME): (-abs(common[i].statistic() or 0.0), test.p(d)) for i, d in known.items()},
                lambda v, count: max(test.adjust(dunnett_p(-v[0], count, freedom)), test.adjust(v[1], SEPARATE)),
            )
            self.margins.test(
                {(i, side): (test.p_margin(common[i], margin, above), test.p_margin(known[i], margin, above))
                 for i, side, above in sides},
                lambda v, count: max(test.adjust(v[0], count, sides=1), test.adjust(v[1], SEPARATE, sides=1)),
            )  # fmt: skip
        else:
            self.same.test({(i, SAME): test.p(d) for i, d in known.items()}, test.adjust)
            self.margins.test(
                {(i, side): test.p_margin(known[i], margin, above) for i, side, above in sides},
                lambda p, count: test.adjust(p, count, sides=1),
            )
        for i, d in differences.items():
            self.verdicts[i] = self._verdict(i, d, seeds[i], test, common.get(i))

    def _verdict(
        self, i: int, d: Difference, seeds: Mapping[str, tuple[int, ...]], test: Planned | Anytime,
        common: Difference | None,
    ) -> Verdict:  # fmt: skip
        name = self.design.test if isinstance(test, Planned) else "holm"
        furthest = reach(self.design.comparisons[i].weights, self.design.scale)
        return Verdict(
            comparison=self.design.comparisons[i],
            difference=d,
            interval=cut(test.interval(d, LEVEL), furthest),
            simultaneous=cut(self._simultaneous(d, test, common), furthest),
            bounds=cut(self._bounds(i, test.bounds(d, LEVEL)), furthest),
            p=None if d.error is None else test.p(d),
            adjusted=self.same.adjusted.get((i, SAME)),
            not_worse=self.margins.adjusted.get((i, WORSE), 1.0),
            not_better=self.margins.adjusted.get((i, BETTER), 1.0),
            margin=self.design.margin,
            higher=self.design.higher,
            test=TTest.of_study(name, self.design.size, d.paired, test.total, d.parts),
            common=common is not None,
            analysis=test.place,
            last=test.place == len(self.design.counts) - 1,
            planned=isinstance(test, Planned),
            seeds=seeds,
        )

    def _bounds(self, i: int, now: Interval | None) -> Interval | None:
        """Return the narrowest bounds of all analyses so far: they hold together, and a rejection at any stands."""
        before = self.verdicts[i]
        if now is None or before is None or before.bounds is None:
            return now
        return max(now[0], before.bounds[0]), min(now[1], before.bounds[1])

    def _simultaneous(self, d: Difference, test: Planned | Anytime, common: Difference | None) -> Interval | None:
        count = self.design.size
        if common is None or common.error is None or not isinstance(test, Planned):
            return test.interval(d, test.total / count)
        alone = test.interval(d, test.total / SEPARATE)
        half = dunnett_edge(test.level(test.total), count, common.freedom) * common.error
        return None if alone is None else (min(alone[0], d.mean - half), max(alone[1], d.mean + half))
