"""The raw rows of finished experiments as a measurement (dawn.results.measurement)."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from dawn.core.cli import InputError
from dawn.results import measurement
from dawn.studies import rows
from dawn.studies.variants import Result


def save(path: Path | None, what: str, results: Mapping[str, Result], folder: Path) -> None:
    """Write the rows of all results, which are in directories of ``folder``, to a file; nothing without a path."""
    if path is not None:
        measurement.save(path, what, measured(results, folder), origin(results))


def measured(results: Mapping[str, Result], folder: Path) -> list[measurement.Row]:
    """A row for each seed of each result: the numbers of its training, and all measures of its evaluation."""
    trainings = [training for result in results.values() for training in result.trainings.values()]
    found = []
    for row, training in zip(rows.seeds(results, folder), trainings, strict=True):
        values = {k: v for k, v in (training | row).items() if k not in ("seed", "first_step", "resumed", "start")}
        found.append(measurement.training(training, row["variant"], values))
    return found


def origin(results: Mapping[str, Result]) -> dict[str, Any]:
    """The provenance that the results share; an InputError where they were not made by one code on one machine."""
    records = [(result.name, result.provenance) for result in results.values()]
    (base, first), *_ = records
    for name, record in records:
        if record is None or first is None or "command" not in record:
            raise InputError(f"{name or 'the run'} has no provenance.json that names its command; run snakemake again")
        if other := [part for part in ("code", "python", "machine", "packages") if record[part] != first[part]]:
            raise InputError(f"{base} and {name} were not run with the same {', '.join(other)}, of which a measurement "
                             "has one; run the older one again, or measure each variant by itself")  # fmt: skip
    return max((record for _, record in records if record), key=lambda record: record["written"])
