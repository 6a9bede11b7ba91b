"""A verdict on two variants of studies: one comparison among all that are made over these results."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dawn.config.plan_records import StudyFile
from dawn.config.task import Measure
from dawn.core.reading import read_json
from dawn.studies import changes
from dawn.studies.outcome import Outcome, judge, load
from dawn.studies.variants import Result


class Adjusted:
    """The study of the two variants alone, which the history of their results knows.

    verdict  None where seeds of the plan are missing
    counts   the seeds of the planned analyses
    notes    what the verdict is adjusted for
    """

    def __init__(self, outcome: Outcome) -> None:
        self.counts, self.verdict = outcome.counts, outcome.by_comparison[0]
        past, look = outcome.past, outcome.look
        ((group, _),) = changes.groups(past, look).values()
        self.notes = [*changes.added(past, look), *changes.changed(past, look), *changes.left_out(past, look)]
        if plans := outcome.other_plans:
            self.notes.append(f"Results were seen when {'; '.join(plans)} seeds were planned: an anytime-valid test.")
        if group.kind == "planned":
            number = len(group.comparisons)
            those = "the comparison" if number == 1 else f"one of {number} comparisons"
            self.notes.insert(0, f"This is {those} of study {group.study}, and adjusted for all of them.")
        if self.verdict is None:
            planned = ", ".join(map(str, self.counts))
            self.notes.append(
                f"No verdict yet: the study is analysed at {planned} seeds, by all variants that its test needs."
            )


def of_studies(
    base: tuple[Path, Result], other: tuple[Path, Result], measure: Measure, margin: float
) -> Adjusted | None:
    """Return the verdict on two variants of studies that lie in one directory; None for any other results.

    Their studies are noted first, as they are shown here, and then this comparison.
    """
    studies = [path.absolute().parent for path, _ in (base, other)]
    plans = [plan for study in studies if (plan := _plan(study))]
    if len(plans) < 2 or not studies[0].parent.samefile(studies[1].parent):
        return None
    for study in dict.fromkeys(studies):
        load(study, note=True)
    results = {"base": base[1], "other": other[1]}
    return Adjusted(judge(studies[0], _about(plans, results, measure, margin), results, True))


def _plan(study: Path) -> dict[str, Any] | None:
    """Return the study.json of a directory; None where there is none, or one that plans no comparison."""
    about: dict[str, Any] = read_json(path, StudyFile) if (path := study / "study.json").is_file() else {}
    return about if about.get("comparisons") else None


def _about(plans: list[Any], results: Mapping[str, Result], measure: Measure, margin: float) -> dict[str, Any]:
    """Return the study.json of the two alone, with the plan of their studies, if they have the same."""
    names = {slug: result.name for slug, result in results.items()}
    (seeds, analyses), second = ((about["seeds"], about["analyses"]) for about in plans)
    if (seeds, analyses) != second:
        seeds, analyses = list(dict.fromkeys(seed for r in results.values() for seed in r.evaluations)), []
    return {
        "name": f"{plans[0]['name']} (compare)",
        "variants": names,
        "seeds": seeds,
        "analyses": analyses,
        "comparisons": [{"name": names["other"], "base": names["base"], "weights": {"base": -1.0, "other": 1.0}}],
        "measure": measure.key,
        "difference": margin,
        "test": "holm",
    }
