"""A study with its results: what is compared, how, and what came out."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from dawn.core.files import read_json
from dawn.results.measures import Measure
from dawn.studies import history
from dawn.studies.analysis import Analyses, Design
from dawn.studies.from_curves import measure_of, on_holdout, with_curves
from dawn.studies.further import Further, further
from dawn.studies.variants import Result, of_variant, same_batches
from dawn.studies.verdicts import Comparison, Verdict


@dataclass(frozen=True)
class Outcome:
    """``about`` is study.json, ``results`` and their directories are by slug; ``verdicts`` in the order of the file.

    other_plans     the seeds that were planned when results were seen before, if another plan is followed now
    other_settings  settings that were others then
    wanted          seeds of each variant for the next analysis; as many as there are where it is decided
    """

    about: Mapping[str, Any]
    results: Mapping[str, Result]
    verdicts: list[Verdict]
    other_plans: list[str]
    other_settings: list[str]
    wanted: dict[str, int]

    @property
    def measure(self) -> Measure:
        """What is compared."""
        return measure_of(self.about)

    @property
    def gan(self) -> bool:
        """Whether the variants are GANs."""
        return any(result.gan for result in self.results.values())

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


def load(study: Path, most: int | None = None) -> Outcome:
    """The outcome of the study in a directory, by at most so many seeds of each variant (all that are planned)."""
    about = read_json(study / "study.json")
    seeds = about["seeds"][:most]
    results = {slug: with_curves(of_variant(name, study / slug, seeds), study / slug, about)
               for slug, name in about["variants"].items()}  # fmt: skip
    now = history.entry(about, results)
    before = history.earlier(study, now)
    plans = history.other_plans(before, now)
    analyses = analyse(about, results, planned=not plans)
    verdicts = [verdict for verdict in analyses.verdicts if verdict is not None]
    wanted = _wanted(analyses, results)
    return Outcome(about, results, verdicts, plans, history.other_settings(before, now), wanted)


def analyse(about: Mapping[str, Any], results: Mapping[str, Result], planned: bool) -> Analyses:
    """The verdicts on the seeds that are there."""
    comparisons = [Comparison(**comparison) for comparison in about["comparisons"]]
    measure = measure_of(about)
    design = Design(comparisons, tuple(about["analyses"]), about["difference"], measure.higher, about["test"])
    found = Analyses(design, lambda names: same_batches([results[name] for name in names]))
    values = {slug: result.values(measure.key) for slug, result in results.items()}
    found.planned(values) if planned else found.unplanned(values)
    return found


def _wanted(analyses: Analyses, results: Mapping[str, Result]) -> dict[str, int]:
    """Seeds of each variant at the next analysis of a comparison that is not decided."""
    wanted = {slug: len(result.evaluations) for slug, result in results.items()}
    counts = analyses.design.counts
    for comparison in analyses.undecided.values():
        have = min(wanted[name] for name in comparison.weights)
        following = next((count for count in counts if count > have), counts[-1])
        wanted |= {name: max(wanted[name], following) for name in comparison.weights}
    return wanted
