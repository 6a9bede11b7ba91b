"""A verdict on two variants of studies: one comparison among all that are made over these results."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.task import Measure
from dawn.core.reading import read_json
from dawn.studies import changes
from dawn.studies.outcome import Outcome, judge, load
from dawn.studies.variants import Result
from dawn.studies.verdicts import Verdict


@dataclass(frozen=True)
class Adjusted:
    """The study of the two variants alone, which the history of their results knows."""

    outcome: Outcome

    @property
    def verdict(self) -> Verdict | None:
        """None where seeds of the plan are missing."""
        return self.outcome.found[0]

    @property
    def counts(self) -> tuple[int, ...]:
        """The seeds of the planned analyses."""
        return self.outcome.counts

    @property
    def notes(self) -> list[str]:
        """What the verdict is adjusted for."""
        past, look = self.outcome.past, self.outcome.look
        ((group, _),) = changes.groups(past, look).values()
        found = [*changes.added(past, look), *changes.changed(past, look), *changes.left_out(past, look)]
        if plans := self.outcome.other_plans:
            found.append(f"Results were seen when {'; '.join(plans)} seeds were planned: an anytime-valid test.")
        if group.kind == "planned":
            number = len(group.comparisons)
            those = "the comparison" if number == 1 else f"one of {number} comparisons"
            found.insert(0, f"This is {those} of study {group.study}, and adjusted for all of them.")
        if self.verdict is None:
            planned = ", ".join(map(str, self.counts))
            found.append(
                f"No verdict yet: the study is analysed at {planned} seeds, by all variants that its test needs."
            )
        return found


def of_studies(
    base: tuple[Path, Result], other: tuple[Path, Result], measure: Measure, margin: float
) -> Adjusted | None:
    """The verdict on two variants of studies that lie in one directory; None for any other results.

    Their studies are noted first, as they are shown here, and then this comparison.
    """
    studies = [path.absolute().parent for path, _ in (base, other)]
    plans = [plan(study) for study in studies]
    if None in plans or not studies[0].parent.samefile(studies[1].parent):
        return None
    for study in dict.fromkeys(studies):
        load(study, note=True)
    return Adjusted(judge(studies[0], _about(plans, (base[1], other[1]), measure, margin), _results(base, other), True))


def plan(study: Path) -> dict[str, Any] | None:
    """The study.json of a directory; None where there is none, or one that plans no comparison."""
    about: dict[str, Any] = read_json(study / "study.json") if (study / "study.json").is_file() else {}
    return about if about.get("comparisons") else None


def _results(base: tuple[Path, Result], other: tuple[Path, Result]) -> dict[str, Result]:
    return {"base": base[1], "other": other[1]}


def _about(plans: list[Any], results: tuple[Result, Result], measure: Measure, margin: float) -> dict[str, Any]:
    """The study.json of the two alone, with the plan of their studies, if they have the same."""
    base, other = results
    first, second = ((about["seeds"], about["analyses"]) for about in plans)
    every = list(dict.fromkeys([*base.evaluations, *other.evaluations]))
    seeds, analyses = first if first == second else (every, [])
    return {
        "name": f"{plans[0]['name']} (compare)",
        "variants": {"base": base.name, "other": other.name},
        "seeds": seeds,
        "analyses": analyses,
        "comparisons": [{"name": other.name, "base": base.name, "weights": {"base": -1.0, "other": 1.0}}],
        "measure": measure.key,
        "difference": margin,
        "test": "holm",
    }
