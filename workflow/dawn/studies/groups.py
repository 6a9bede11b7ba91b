"""The analyses of a group of comparisons, with what is there now and what was seen of variants that are gone."""

from collections.abc import Collection, Mapping
from typing import Any

from dawn.studies.allocation import Look, spending
from dawn.studies.analysis import Analyses, Design
from dawn.studies.changes import by_plan, groups
from dawn.studies.from_curves import measure_of
from dawn.studies.records import Contrast, Group, History
from dawn.studies.variants import Result, same_batches
from dawn.studies.verdicts import Comparison


class Present:
    """A study as it is now, by its study.json and results, and the history with this look.

    keys  of the experiments, by the slugs of the variants
    """

    def __init__(
        self,
        about: Mapping[str, Any],
        results: Mapping[str, Result],
        keys: Mapping[str, str],
        look: Look,
        past: History,
    ) -> None:
        self.about, self.results, self.keys, self.look, self.past = about, results, keys, look, past
        self.measure = measure_of(about)
        self.slugs = {key: slug for slug, key in keys.items()}
        self.comparisons = [Comparison(**comparison) for comparison in about["comparisons"]]

    @property
    def groups(self) -> list[Group]:
        """Those that have a comparison of the study."""
        return [group for group, _ in groups(self.past, self.look).values()]

    def analyse(self, group: Group) -> tuple[Analyses, dict[int, int]]:
        """The analyses of a group; which of its comparisons is which one of the study."""
        places = {comparison.identity: i for i, comparison in enumerate(self.look.comparisons)}
        own = {i: places[c.identity] for i, c in enumerate(group.comparisons) if c.identity in places}
        compared = [self.comparisons[own[i]] if i in own else self._past(c) for i, c in enumerate(group.comparisons)]
        planned, unplanned = spending(group)
        margin = self.about["difference"]
        design = Design(compared, tuple(group.analyses), margin, self.measure.higher, group.test, planned, unplanned,
                        group.size - len(compared), margin != group.difference, self.measure.scale)  # fmt: skip
        found = Analyses(design, self._shared)
        names = {name for comparison in compared for name in comparison.weights}
        if by_plan(group, self.look):
            found.planned({name: self._in_order(name, group.seeds) for name in names})
        else:
            found.unplanned({name: self._in_order(name, self.order) for name in names})
        return found, own

    @property
    def order(self) -> list[int]:
        """All seeds that were ever shown of these experiments and those that comparisons connect with them.

        Tests that hold for any number of seeds hold for seeds in a fixed order: leaving some out chooses.
        """
        component = self.past.component({key: e.trained for key, e in self.look.experiments.items()})
        seen = [seed for key, e in self.past.experiments.items() if key in component for seed in e.seeds]
        return list(dict.fromkeys(seen))

    def _past(self, comparison: Contrast) -> Comparison:
        """A comparison that the study has no more; its variants by their slugs, or by their keys if they are gone."""
        weights = {self.slugs.get(key, key): weight for key, weight in comparison.weights.items()}
        return Comparison(comparison.name, comparison.base, weights)

    def _in_order(self, name: str, seeds: Collection[int]) -> dict[int, float]:
        """The values of a variant up to the first of these seeds that it does not have."""
        if name in self.results:
            values = self.results[name].values(self.measure.key)
        else:
            values = self.past.experiments[name].values.get(self.look.quantity.key, {})
        found = {}
        for seed in seeds:
            if seed not in values:
                break
            found[seed] = values[seed]
        return found

    def _shared(self, names: Collection[str]) -> bool:
        """Whether equal seeds of these variants have equal batches."""
        if all(name in self.results for name in names):
            return same_batches([self.results[name] for name in names])
        batches = {self.past.experiments[self.keys.get(name, name)].batches for name in names}
        return len(batches) == 1 and None not in batches
