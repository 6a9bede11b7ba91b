"""What a reproduction has decided before its first training, so that it continues as it began."""

import hashlib
import secrets
from pathlib import Path
from typing import Any

from dawn.config.records import Record
from dawn.core.cli import LARGEST_SEED, InputError
from dawn.core.files import write_json
from dawn.core.reading import Number, Seed, Sha256, read_json
from dawn.reproduction.publication import Publication

FILE = "plan.json"
SPAN = 1_000_000  # seeds from the first one on


class Plan(Record):
    """plan.json: the result, the margin, and the first of the new seeds."""

    result: Sha256
    measure: str
    margin: Number
    first_seed: Seed


def planned(place: Path, publication: Publication, margin: float, first_seed: int | None) -> dict[str, Any]:
    """The plan in a directory, made if no new seed has been trained by one.

    The first seed is drawn at random: two people who reproduce a result with the same seeds would have one sample. An
    InputError where the directory has the plan of another reproduction.
    """
    experiment, values = publication.experiment, publication.values
    text = experiment.text(*experiment.decided_by) + repr((values.n, values.mean, values.std, values.values))
    wanted: dict[str, Any] = {
        "result": hashlib.sha256(text.encode()).hexdigest(),
        "measure": publication.measure.key,
        "margin": margin,
    }
    path = place / FILE
    plan: dict[str, Any] | None = read_json(path, Plan) if path.is_file() else None
    begun = plan is not None and (place / f"results/seed-{plan['first_seed']}").is_dir()
    if plan is None or not begun:
        first = 1000 + secrets.randbelow(LARGEST_SEED - SPAN) if first_seed is None else first_seed
        plan = wanted | {"first_seed": first}
        write_json(path, plan)
    given = wanted if first_seed is None else wanted | {"first_seed": first_seed}
    if other := [name for name, known in given.items() if plan[name] != known]:
        raise InputError(
            f"{place} holds the reproduction of another result, or by another plan ({', '.join(other)}); name another "
            "directory with --out"
        )
    return plan


def new_seeds(plan: dict[str, Any], publication: Publication, count: int) -> list[int]:
    """The first new seeds, none of which is published."""
    published = set(publication.seeds)
    numbers = (number for number in range(plan["first_seed"], plan["first_seed"] + SPAN) if number not in published)
    return [number for number, _ in zip(numbers, range(count), strict=False)]
