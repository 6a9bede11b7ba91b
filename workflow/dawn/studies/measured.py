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
    found = []
    each = ((result, seed) for result in results.values() for seed in result.evaluations)
    for row, (result, seed) in zip(rows.seeds(results, folder), each, strict=True):
        training = result.trainings[seed]
        values = training | _measures(result.evaluations[seed]) | row
        found.append(measurement.training(training, result.name, values))
    return found


def _measures(evaluation: Mapping[str, Any]) -> dict[str, Any]:
    """The values of all measures of a GAN or CycleGAN; a classifier's are in the rows of a study."""
    found = evaluation.get("measures", {})
    return {name: entry["value"] if isinstance(entry, Mapping) else entry for name, entry in found.items()}


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
