"""The history that older versions kept in the directory of each study, as looks at its results.

It is a list of plans by which verdicts were computed: of each comparison the variants without their weights, of each
variant the checksum of its settings. Values were not kept.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config import registry
from dawn.studies.allocation import Look
from dawn.studies.records import Contrast, Quantity, Seen, quantities


def looks(study: str, about: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> list[Look]:
    """The looks of these entries; ``about`` is the present study.json, which has the weights of the same plan."""
    return [_look(study, about, entry) for entry in entries]


def _look(study: str, about: Mapping[str, Any], entry: Mapping[str, Any]) -> Look:
    quantity = Quantity.of(entry)
    experiments = {key: Seen(name=slug, seeds=entry["seeds"]) for slug, key in entry["variants"].items()}
    comparisons = [Contrast(**c | {"weights": {entry["variants"][slug]: w for slug, w in c["weights"].items()}})
                   for c in _comparisons(about, entry["comparisons"])]  # fmt: skip
    task = next((task for task in registry.TASKS if quantity.measure in registry.task(task).deciding), "classify")
    return Look(study, quantity, quantities(task), list(entry["seeds"]), list(entry["analyses"]), entry["difference"],
                entry["test"], comparisons, experiments)  # fmt: skip


def _comparisons(about: Mapping[str, Any], slugs: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Comparisons by the slugs of their variants.

    Contrasts of more than two variants whose weights are not known any more count, and equal none.
    """
    now: list[dict[str, Any]] = list(about.get("comparisons", []))
    if sorted(sorted(c["weights"]) for c in now) == sorted(map(sorted, slugs)):
        return now
    common = set(slugs[0]).intersection(*slugs[1:]) if slugs else set()
    found = []
    for names in slugs:
        base = next((name for name in names if name in common), names[0])
        others = [name for name in names if name != base]
        signs = {base: -1.0} if len(names) == 2 else {base: 1.0}
        found.append({"name": ", ".join(others), "base": base, "weights": signs | dict.fromkeys(others, 1.0)})
    return found
