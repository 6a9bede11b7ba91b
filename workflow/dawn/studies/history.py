"""The plans by which a study was analysed before, so that seeds which were not planned are recognized.

``history.json`` in the directory of the study has an entry for each plan by which its verdicts were computed. No rule
owns it, so Snakemake does not delete it.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dawn.core.files import read_json, write_json
from dawn.studies.variants import SOURCE, Result

PLAN = ("analyses", "seeds")
SETTINGS = ("measure", "difference", "test", "split", "budget")
BEFORE = {"split": "test"}  # what was so before it became a setting


def entry(about: Mapping[str, Any], results: Mapping[str, Result]) -> dict[str, Any]:
    """The plan of a study, and a checksum of the choices of each variant."""
    return {
        **{name: about.get(name, BEFORE.get(name)) for name in (*PLAN, *SETTINGS)},
        "comparisons": [sorted(comparison["weights"]) for comparison in about["comparisons"]],
        "variants": {slug: _checksum(result) for slug, result in results.items()},
    }


def _checksum(result: Result) -> str:
    data = {key: value for key, value in result.choices["data"].items() if key not in SOURCE}
    text = json.dumps(result.choices | {"data": data}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def earlier(study: Path, now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The other entries in which a comparison of ``now`` was made on the same experiments."""
    return [old for old in _read(study) if old != now and any(
        all(old["variants"].get(name) == now["variants"][name] for name in names) for names in now["comparisons"]
    )]  # fmt: skip


def other_plans(before: list[dict[str, Any]], now: Mapping[str, Any]) -> list[str]:
    """The seeds that were planned when results were seen, in words, where that was another plan than now."""
    plans = [old["analyses"] for old in before if any(old[name] != now[name] for name in PLAN)]
    return list(dict.fromkeys(", ".join(map(str, counts)) for counts in plans))


def other_settings(before: list[dict[str, Any]], now: Mapping[str, Any]) -> list[str]:
    """The settings that were others when results were seen, in words."""
    values = [(name, old.get(name, BEFORE.get(name))) for old in before for name in SETTINGS]
    return list(dict.fromkeys(f"{name} was {value} and is {now[name]}" for name, value in values if value != now[name]))


def add(study: Path, now: dict[str, Any]) -> None:
    """Note that verdicts were computed by this plan."""
    if now not in (entries := _read(study)):
        write_json(study / "history.json", [*entries, now])


def _read(study: Path) -> list[dict[str, Any]]:
    path = study / "history.json"
    found: list[dict[str, Any]] = read_json(path) if path.exists() else []
    return found
