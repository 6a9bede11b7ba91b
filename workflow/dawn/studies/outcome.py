"""A study with its results: what is compared, how, and the verdicts.

The comparisons of a study are analysed in the groups that they were first made in, each with all of its comparisons:
those with variants that are gone are analysed by the values that were seen of them.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dawn.config.plan import that_matters
from dawn.config.plan_records import StudyFile
from dawn.config.task import Measure
from dawn.core.reading import read_json
from dawn.results.measures import images
from dawn.studies import changes, history
from dawn.studies.allocation import Look, spending
from dawn.studies.analysis import Analyses, Design
from dawn.studies.from_curves import measure_of, on_holdout, with_curves
from dawn.studies.further import Further, further
from dawn.studies.records import Contrast, Group, History
from dawn.studies.variants import Result, of_variant, same_batches
from dawn.studies.verdicts import Comparison, Verdict


@dataclass(frozen=True)
class Outcome:
    """``about`` is study.json, ``results`` and their directories are by slug.

    by_comparison  the verdict of each comparison, in the order of the file; None where seeds are missing
    past    the history of the results, with this study in it
    look    the study as the history has it
    wanted  seeds of each variant for the next analysis; as many as there are where it is decided
    """

    about: Mapping[str, Any]
    results: Mapping[str, Result]
    by_comparison: Sequence[Verdict | None]
    past: History
    look: Look
    wanted: dict[str, int]

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts that there are."""
        return [verdict for verdict in self.by_comparison if verdict is not None]

    @property
    def other_plans(self) -> list[str]:
        """The seeds that were planned when results were seen before, if other ones are used now."""
        return changes.other_plans(self.past, self.look)

    @property
    def unplanned(self) -> list[str]:
        """All that was not planned but the number of seeds, in sentences."""
        notes = changes.of_study(self.past, self.look)
        names = [f"{c['name']} against {c['base']}"
                 for c, v in zip(self.about["comparisons"], self.by_comparison, strict=True) if v is None]  # fmt: skip
        tests = {group.test for group, _ in changes.groups(self.past, self.look).values()}
        if names and not self.lacking and "dunnett" in tests:
            notes.append(f"No verdict on {', '.join(names)}: Dunnett's test has one spread for all variants of the "
                         "plan, and some of them were deleted. Add them again, with their seeds.")  # fmt: skip
        return notes

    @property
    def measure(self) -> Measure:
        """The measure that the study compares."""
        return measure_of(self.about)

    @property
    def has_predictions(self) -> bool:
        """Whether the results have a prediction for each test image."""
        return all(result.has_predictions for result in self.results.values())

    @property
    def on_holdout(self) -> bool:
        """Whether the hold-out decides, not the test split."""
        return on_holdout(self.about)

    @property
    def counts(self) -> tuple[int, ...]:
        """The seeds of each planned analysis."""
        return tuple(self.about["analyses"])

    @cached_property
    def further(self) -> list[Further]:
        """What else is known of each comparison, in the order of the verdicts."""
        return further(self.verdicts, self.results, self.measure, self.counts)

    @property
    def lacking(self) -> list[str]:
        """The variants that have fewer seeds than the study needs, in words."""
        return [f"{result.name} has {len(result.evaluations)} of {self.wanted[slug]} seeds"
                for slug, result in self.results.items() if len(result.evaluations) < self.wanted[slug]]  # fmt: skip


def load(study: Path, most: int | None = None, note: bool = False) -> Outcome:
    """Read the study in a directory, with at most so many seeds of each variant (all that are planned).

    ``note`` says that it is shown, which the history of the results keeps.
    """
    about = read_json(study / "study.json", StudyFile)
    seeds = about["seeds"][:most]
    results = {slug: with_curves(of_variant(name, study / slug, seeds), study / slug, about)
               for slug, name in about["variants"].items()}  # fmt: skip
    about |= {"difference": that_matters(about["difference"], decided_by(about, results.values()))}
    return judge(study, about, results, note)


def decided_by(about: Mapping[str, Any], results: Iterable[Result]) -> int | None:
    """Return the number of images that a measure of the study is of; None where no seed has one."""
    first = next((result for result in results if result.evaluations), None)
    if first is None:
        return None
    if about.get("split") == "holdout":
        return int(first.choices["data"]["holdout"])
    return images(next(iter(first.evaluations.values())))


def judge(study: Path, about: Mapping[str, Any], results: Mapping[str, Result], note: bool) -> Outcome:
    """Analyse these results, by the history of the results that the study's directory belongs to."""
    look, keys = history.look(about, results)
    past = history.add(study, look) if note else history.after(history.read(study.parent), study, look)
    values = _Values(results, keys, look, past, measure_of(about))
    comparisons = [Comparison(**comparison) for comparison in about["comparisons"]]
    verdicts: list[Verdict | None] = [None] * len(comparisons)
    places = {comparison.identity: i for i, comparison in enumerate(look.comparisons)}
    for group, _ in changes.groups(past, look).values():
        here = [places.get(contrast.identity) for contrast in group.comparisons]
        compared = [values.comparison(contrast) if place is None else comparisons[place]
                    for contrast, place in zip(group.comparisons, here, strict=True)]  # fmt: skip
        for verdict, place in zip(_analyse(group, compared, values), here, strict=True):
            if place is not None:
                verdicts[place] = verdict
    return Outcome(about, results, verdicts, past, look, _wanted(about, comparisons, verdicts, results))


def _analyse(group: Group, compared: Sequence[Comparison], values: "_Values") -> Sequence[Verdict | None]:
    """Return the verdicts of a group: by the plan that it was made with, or on all seeds that were ever shown."""
    measure, margin = values.measure, values.look.difference
    planned, unplanned = spending(group)
    design = Design(compared, tuple(group.analyses), margin, measure.higher, group.test, planned, unplanned,
                    group.size - len(compared), margin != group.difference, measure.scale)  # fmt: skip
    analyses = Analyses(design, values.shared)
    names = {name for comparison in compared for name in comparison.weights}
    if changes.by_plan(group, values.look):
        analyses.planned({name: values.in_order(name, group.seeds) for name in names})
    else:
        analyses.unplanned({name: values.in_order(name, values.order) for name in names})
    return analyses.verdicts


class _Values:
    """The values of a study's variants by their slugs, and those that were seen of variants that are gone.

    keys  of the experiments, by the slugs of the variants
    """

    def __init__(
        self, results: Mapping[str, Result], keys: Mapping[str, str], look: Look, past: History, measure: Measure
    ) -> None:
        self.results, self.keys, self.look, self.past, self.measure = results, keys, look, past, measure
        self.slugs = {key: slug for slug, key in keys.items()}

    @property
    def order(self) -> list[int]:
        """All seeds that were ever shown of these experiments and those that comparisons connect with them.

        Tests that hold for any number of seeds hold for seeds in a fixed order: leaving some out chooses.
        """
        component = self.past.component({key: e.trained for key, e in self.look.experiments.items()})
        seen = [seed for key, e in self.past.experiments.items() if key in component for seed in e.seeds]
        return list(dict.fromkeys(seen))

    def comparison(self, contrast: Contrast) -> Comparison:
        """Return a comparison that the study has no more; its variants by their slugs, or by their keys if gone."""
        weights = {self.slugs.get(key, key): weight for key, weight in contrast.weights.items()}
        return Comparison(contrast.name, contrast.base, weights)

    def in_order(self, name: str, seeds: Collection[int]) -> dict[int, float]:
        """Return the values of a variant up to the first of these seeds that it does not have."""
        if name in self.results:
            values = self.results[name].values(self.measure.key)
        else:
            values = self.past.experiments[name].values.get(self.look.quantity.key, {})
        first = {}
        for seed in seeds:
            if seed not in values:
                break
            first[seed] = values[seed]
        return first

    def shared(self, names: Collection[str]) -> bool:
        """Return whether equal seeds of these variants have equal batches."""
        if all(name in self.results for name in names):
            return same_batches([self.results[name] for name in names])
        batches = {self.past.experiments[self.keys.get(name, name)].batches for name in names}
        return len(batches) == 1 and None not in batches


def _wanted(
    about: Mapping[str, Any],
    comparisons: Sequence[Comparison],
    verdicts: Sequence[Verdict | None],
    results: Mapping[str, Result],
) -> dict[str, int]:
    """Return the seeds of each variant at the next analysis of a comparison that is not decided."""
    wanted = {slug: len(result.evaluations) for slug, result in results.items()}
    counts = about["analyses"]
    for comparison, verdict in zip(comparisons, verdicts, strict=True):
        if verdict is None or not verdict.decided:
            have = min(wanted[name] for name in comparison.weights)
            following = next((count for count in counts if count > have), max(counts, default=have))
            wanted |= {name: max(wanted[name], following) for name in comparison.weights}
    return wanted
