"""The history of the studies of some results, in ``history.json`` next to their directories.

It belongs to the results and not to a study, so that a study that is renamed or deleted stays in it. No rule owns it,
so Snakemake does not delete it. Each look at results is noted: an interim analysis, the page of a study, the partial
page, and ``dawn.compare`` of variants. In the directory of each study a file of the same name notes which history knows
it. Older versions kept a list of looks there, which is imported: of each comparison the variants without their weights,
of each variant the checksum of its settings, and no values.
"""

import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from dawn.config import registry
from dawn.config.plan import Plan, that_matters
from dawn.config.plan_records import StudyFile
from dawn.core import file_lock
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.results.manifest import choices
from dawn.studies.allocation import Look, with_look
from dawn.studies.from_curves import measure_of
from dawn.studies.records import Contrast, History, KnownBy, OldEntry, Quantity, Seen, Unknown, checksum, quantities
from dawn.studies.variants import Result, archive, trained

NAME = "history.json"
Noted = KnownBy | list[OldEntry]  # the file in the directory of a study
VERDICTS = ("table.csv", "comparisons.csv", "analyses/*.json", "partial/table.md")  # files that show results


def look(about: Mapping[str, Any], results: Mapping[str, Result]) -> tuple[Look, dict[str, str]]:
    """Return what is shown of a study with this study.json, and the key of each experiment by its slug."""
    quantity, measure = Quantity.of(about).key, measure_of(about).key
    keys = _keys({slug: result.choices for slug, result in results.items()})
    seen = {
        keys[slug]: Seen(
            name=result.name,
            trained=checksum(trained(result.choices)),
            batches=checksum({"data": result.choices["data"], "rest": [archive(result), result.batch, result.task]}),
            seeds=list(result.evaluations),
            values={quantity: result.values(measure)},
        )
        for slug, result in results.items()
    }
    return _look(about, next(iter(results.values())).task, about["comparisons"], keys, seen), keys


def look_of_plan(plan: Plan, images: int | None = None) -> Look:
    """Return a look at a study before anything is trained, of so many test images if they are known."""
    chosen = {slug: choices(v.experiment, *v.experiment.decided_by) for slug, v in plan.variants.items()}
    keys, about = _keys(chosen), json.loads(plan.text)
    about["difference"] = that_matters(about["difference"], images)
    seen = {keys[slug]: Seen(name=plan.variants[slug].name, trained=checksum(trained(sections)))
            for slug, sections in chosen.items()}  # fmt: skip
    return _look(about, plan.shared.task, about["comparisons"], keys, seen)


def _look(
    about: Mapping[str, Any], task: str, comparisons: Sequence[Mapping[str, Any]], keys: Mapping[str, str],
    experiments: Mapping[str, Seen],
) -> Look:  # fmt: skip
    contrasts = [Contrast(**{**c, "weights": {keys[slug]: w for slug, w in c["weights"].items()}}) for c in comparisons]
    return Look(about["name"], Quantity.of(about), quantities(task), list(about["seeds"]), list(about["analyses"]),
                about["difference"], about["test"], contrasts, experiments)  # fmt: skip


def _keys(experiments: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """Return the key of each experiment by its slug, which is in it where two have the same settings."""
    keys: dict[str, str] = {}
    for slug, chosen in experiments.items():
        key = checksum(chosen)
        keys[slug] = f"{key} {slug}" if key in keys.values() else key
    return keys


def read(root: Path) -> History:
    """Return the history of the studies in a directory, with those of older versions, which were a study's own."""
    path = root / NAME
    history = History(id=secrets.token_hex(8), since=_today())
    if path.exists():
        history = History.model_validate(read_json(path, History, "restore or delete it"))
    for study in sorted(path.parent for path in root.glob(f"*/{NAME}")):
        if study.name not in history.imported and isinstance(old := read_json(study / NAME, Noted), list):
            history = _imported(history, study, old)
    return history


def _imported(history: History, study: Path, old: list[dict[str, Any]]) -> History:
    when = datetime.fromtimestamp((study / NAME).stat().st_mtime, UTC).date().isoformat()
    about = read_json(study / "study.json", StudyFile) if (study / "study.json").exists() else {}
    for place, entry in enumerate(old):
        measure, keys = Quantity.of(entry).measure, entry["variants"]
        seen = {key: Seen(name=slug, seeds=entry["seeds"]) for slug, key in keys.items()}
        task = next((task for task in registry.TASKS if measure in registry.task(task).deciding), "classify")
        comparisons = _with_weights(about, entry["comparisons"])
        then = _look({**entry, "name": study.name}, task, comparisons, keys, seen)
        history = with_look(history, then, when, planned=place == 0)
    return history.model_copy(update={"imported": [*history.imported, study.name], "since": min(history.since, when)})


def _with_weights(about: Mapping[str, Any], slugs: Sequence[Sequence[str]]) -> list[dict[str, Any]]:
    """Return the comparisons of an older version by the slugs of their variants.

    The weights of the same plan are in the present study.json. Contrasts of more than two variants whose weights are
    not known any more count, and equal none.
    """
    now: list[dict[str, Any]] = list(about.get("comparisons", []))
    if sorted(sorted(c["weights"]) for c in now) == sorted(map(sorted, slugs)):
        return now
    common = set(slugs[0]).intersection(*slugs[1:]) if slugs else set()
    comparisons = []
    for names in slugs:
        base = next((name for name in names if name in common), names[0])
        others = [name for name in names if name != base]
        signs = {base: -1.0} if len(names) == 2 else {base: 1.0}
        comparisons.append({"name": ", ".join(others), "base": base, "weights": signs | dict.fromkeys(others, 1.0)})
    return comparisons


def after(history: History, study: Path, now: Look) -> History:
    """Return the history with a look at the study in this directory; it is not written."""
    when = _today()
    if _is_unknown(history, study, now):
        unknown = Unknown(study=now.study, when=when, experiments=list(now.experiments))
        history = history.model_copy(update={"unknown": [*history.unknown, unknown]})
    return with_look(history, now, when)


def add(study: Path, now: Look) -> History:
    """Return the history with a look at the study in this directory, which is noted if a result was shown."""
    with file_lock.exclusive(study.parent / f".{NAME}.lock"):
        history = after(read(study.parent), study, now)
        if now.shows:
            write_json(study.parent / NAME, history.model_dump(mode="json"))
            write_json(study / NAME, {"in": f"../{NAME}", "id": history.id})
    return history


def _is_unknown(history: History, study: Path, now: Look) -> bool:
    """Return whether results of this study were shown that the history does not know of."""
    path = study / NAME
    noted = read_json(path, Noted) if path.exists() else []
    if isinstance(noted, dict):
        return bool(noted["id"] != history.id)
    known = any(history.seen(key) for key in now.experiments)
    return not known and any(any(study.glob(pattern)) for pattern in VERDICTS)


def _today() -> str:
    return date.today().isoformat()
