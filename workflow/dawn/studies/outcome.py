"""A study with its results: what is compared, how, and what came out."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dawn.config.task import Measure
from dawn.core.reading import read_json
from dawn.studies import changes, history
from dawn.studies.allocation import Look
from dawn.studies.from_curves import measure_of, on_holdout, with_curves
from dawn.studies.further import Further, further
from dawn.studies.groups import Present
from dawn.studies.records import History
from dawn.studies.variants import Result, of_variant
from dawn.studies.verdicts import Comparison, Verdict


@dataclass(frozen=True)
class Outcome:
    """``about`` is study.json, ``results`` and their directories are by slug.

    found   the verdict of each comparison, in the order of the file; None where seeds are missing
    past    the history of the results, with this study in it
    look    the study as the history has it
    wanted  seeds of each variant for the next analysis; as many as there are where it is decided
    """

    about: Mapping[str, Any]
    results: Mapping[str, Result]
    found: Sequence[Verdict | None]
    past: History
    look: Look
    wanted: dict[str, int]

    @property
    def verdicts(self) -> list[Verdict]:
        """The verdicts that there are."""
        return [verdict for verdict in self.found if verdict is not None]

    @property
    def other_plans(self) -> list[str]:
        """The seeds that were planned when results were seen before, if other ones are used now."""
        return changes.other_plans(self.past, self.look)

    @property
    def other_settings(self) -> list[str]:
        """The settings that were others then."""
        return changes.settings(self.past, self.look)

    @property
    def unplanned(self) -> list[str]:
        """All that was not planned but the number of seeds, in sentences."""
        return [*changes.of_study(self.past, self.look), *self._waiting]

    @property
    def _waiting(self) -> list[str]:
        """The comparisons that Dunnett's test cannot make without a variant that was deleted."""
        names = [f"{c['name']} against {c['base']}"
                 for c, v in zip(self.about["comparisons"], self.found, strict=True) if v is None]  # fmt: skip
        tests = {group.test for group, _ in changes.groups(self.past, self.look).values()}
        if not names or self.lacking or "dunnett" not in tests:
            return []
        return [f"No verdict on {', '.join(names)}: Dunnett's test has one spread for all variants of the plan, and "
                "some of them were deleted. Add them again, with their seeds."]  # fmt: skip

    @property
    def measure(self) -> Measure:
        """The measure that the study compares."""
        return measure_of(self.about)

    @property
    def has_predictions(self) -> bool:
        """Whether there is a prediction for each test image."""
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
    """The outcome of the study in a directory, by at most so many seeds of each variant (all that are planned).

    ``note`` says that it is shown, which the history of the results keeps.
    """
    about = read_json(study / "study.json")
    seeds = about["seeds"][:most]
    results = {slug: with_curves(of_variant(name, study / slug, seeds), study / slug, about)
               for slug, name in about["variants"].items()}  # fmt: skip
    return judge(study, about, results, note)


def judge(study: Path, about: Mapping[str, Any], results: Mapping[str, Result], note: bool) -> Outcome:
    """The outcome of these results, by the history of the results that the study's directory belongs to."""
    look, keys = history.look(about, results)
    past = history.add(study, look) if note else history.after(history.read(study.parent), study, look)
    present = Present(about, results, keys, look, past)
    found: list[Verdict | None] = [None] * len(present.comparisons)
    for group in present.groups:
        analyses, own = present.analyse(group)
        for i, place in own.items():
            found[place] = analyses.verdicts[i]
    return Outcome(about, results, found, past, look, _wanted(about, present.comparisons, found, results))


def _wanted(
    about: Mapping[str, Any],
    comparisons: Sequence[Comparison],
    found: Sequence[Verdict | None],
    results: Mapping[str, Result],
) -> dict[str, int]:
    """Seeds of each variant at the next analysis of a comparison that is not decided."""
    wanted = {slug: len(result.evaluations) for slug, result in results.items()}
    counts = about["analyses"]
    for comparison, verdict in zip(comparisons, found, strict=True):
        if verdict is None or not verdict.decided:
            have = min(wanted[name] for name in comparison.weights)
            following = next((count for count in counts if count > have), max(counts, default=have))
            wanted |= {name: max(wanted[name], following) for name in comparison.weights}
    return wanted
