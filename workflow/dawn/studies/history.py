"""The history of the studies of some results, in ``history.json`` next to their directories.

It belongs to the results and not to a study, so that a study that is renamed or deleted stays in it. No rule owns it,
so Snakemake does not delete it. Each look at results is noted: an interim analysis, the page of a study, the partial
page, and ``dawn.compare`` of variants. In the directory of each study a file of the same name notes which history knows
it.
"""

import json
import secrets
from collections.abc import Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from dawn.config.errors import explain
from dawn.config.plan import Plan
from dawn.core import file_lock
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.results.manifest import choices
from dawn.studies.allocation import Look, with_look
from dawn.studies.from_curves import measure_of
from dawn.studies.old_history import looks
from dawn.studies.records import Contrast, History, Quantity, Seen, Unknown, checksum, quantities
from dawn.studies.variants import Result, archive, trained

NAME = "history.json"
VERDICTS = ("table.csv", "comparisons.csv", "analyses/*.json", "partial/table.md")  # files that show results


def look(about: Mapping[str, Any], results: Mapping[str, Result]) -> tuple[Look, dict[str, str]]:
    """What is shown of a study with this study.json, and the key of each experiment by its slug."""
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
    return _look(about, next(iter(results.values())).task, keys, seen), keys


def look_of_plan(plan: Plan) -> Look:
    """A look at a study before anything is trained."""
    found = {slug: (v.name, choices(v.experiment, *v.experiment.decided_by)) for slug, v in plan.variants.items()}
    keys = _keys({slug: chosen for slug, (_, chosen) in found.items()})
    seen = {keys[slug]: Seen(name=name, trained=checksum(trained(chosen))) for slug, (name, chosen) in found.items()}
    return _look(json.loads(plan.text), plan.shared.task, keys, seen)


def _look(about: Mapping[str, Any], task: str, keys: Mapping[str, str], experiments: Mapping[str, Seen]) -> Look:
    comparisons = [Contrast(**c | {"weights": {keys[slug]: w for slug, w in c["weights"].items()}})
                   for c in about["comparisons"]]  # fmt: skip
    return Look(about["name"], Quantity.of(about), quantities(task), list(about["seeds"]), list(about["analyses"]),
                about["difference"], about["test"], comparisons, experiments)  # fmt: skip


def _keys(experiments: Mapping[str, dict[str, Any]]) -> dict[str, str]:
    """The key of each experiment by its slug, which is in it where two have the same settings."""
    found: dict[str, str] = {}
    for slug, chosen in experiments.items():
        key = checksum(chosen)
        found[slug] = f"{key} {slug}" if key in found.values() else key
    return found


def read(root: Path) -> History:
    """The history of the studies in a directory, with those of older versions, which were a study's own."""
    path = root / NAME
    try:
        known = path.exists()
        found = History.model_validate(read_json(path)) if known else History(id=secrets.token_hex(8), since=_today())
    except ValidationError as error:
        raise InputError(
            f"{path} is not the history of studies: {explain(error, History)}; restore or delete it"
        ) from error
    for study in sorted(path.parent for path in root.glob(f"*/{NAME}")):
        if study.name not in found.imported and isinstance(old := read_json(study / NAME), list):
            found = _imported(found, study, old)
    return found


def _imported(history: History, study: Path, old: list[dict[str, Any]]) -> History:
    when = datetime.fromtimestamp((study / NAME).stat().st_mtime, UTC).date().isoformat()
    about = read_json(study / "study.json") if (study / "study.json").exists() else {}
    for place, entry in enumerate(looks(study.name, about, old)):
        history = with_look(history, entry, when, planned=place == 0)
    return history.model_copy(update={"imported": [*history.imported, study.name], "since": min(history.since, when)})


def after(history: History, study: Path, now: Look) -> History:
    """The history with a look at the study in this directory; it is not written."""
    when = _today()
    if _is_unknown(history, study, now):
        unknown = Unknown(study=now.study, when=when, experiments=list(now.experiments))
        history = history.model_copy(update={"unknown": [*history.unknown, unknown]})
    return with_look(history, now, when)


def add(study: Path, now: Look) -> History:
    """The history with a look at the study in this directory, which is noted if a result was shown."""
    with file_lock.exclusive(study.parent / f".{NAME}.lock"):
        found = after(read(study.parent), study, now)
        if now.shows:
            write_json(study.parent / NAME, found.model_dump(mode="json"))
            write_json(study / NAME, {"in": f"../{NAME}", "id": found.id})
    return found


def _is_unknown(history: History, study: Path, now: Look) -> bool:
    """Whether results of this study were shown that the history does not know of."""
    path = study / NAME
    noted = read_json(path) if path.exists() else []
    if isinstance(noted, dict):
        return bool(noted["id"] != history.id)
    known = any(history.seen(key) for key in now.experiments)
    return not known and any(any(study.glob(pattern)) for pattern in VERDICTS)


def _today() -> str:
    return date.today().isoformat()
