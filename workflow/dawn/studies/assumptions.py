"""What the tests of a study assume, where its seeds are too few or too different to rely on it."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.report.numbers import count
from dawn.studies.verdicts import Verdict

ENOUGH = 5  # seeds at an analysis, from which two-humped seeds do no harm
TWO_HUMPED = {2: 33, 3: 17, 4: 5}  # % of studies with a false verdict at most: tests/bench/intervals.py humps


def lines(about: Mapping[str, Any], verdicts: Sequence[Verdict]) -> list[str]:
    """Sentences of a page: few seeds at the first analysis, and Dunnett's test that was not made."""
    apart = [f"{v.comparison.name} against {v.comparison.base}" for v in verdicts if v.planned and not v.common]
    found, first = [], min(about["analyses"])
    if 1 < first < ENOUGH:
        found.append(
            f"{count(first, 'seed')} at an analysis: the tests assume roughly normal values, and so few seeds cannot "
            "show whether they are. If the seeds of all variants end in one of two modes, each as likely, up to "
            f"{TWO_HUMPED[first]} % of studies of 9 variants without any difference say better or worse (5 % or less "
            f"from {ENOUGH} seeds on)."
        )
    if about["test"] == "dunnett" and len(about["comparisons"]) > 1 and apart:
        found.append(
            f"Dunnett's test was not used for {'; '.join(apart)}: the seeds leave doubt that the variants spread "
            "alike. Each of these is tested with the spread of its own variants, by Holm's procedure."
        )
    return found
