"""What lies there of one experiment: its choices, the accuracy of each seed, its metrics and times."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import CHOICES, load
from dawn.core.cli import InputError
from dawn.core.files import read_json
from dawn.results.manifest import choices
from dawn.studies.statistics import Difference, difference


@dataclass(frozen=True)
class Result:
    """One experiment over its seeds.

    ``accuracy`` is in percent by seed; ``metrics`` are dawn.summarize's; ``timing`` is dawn.timing's, if it ran.
    """

    name: str
    choices: dict[str, Any]
    accuracy: dict[int, float]
    metrics: dict[str, Any]
    timing: dict[str, Any] | None

    def time(self, work: str) -> dict[str, Any] | None:
        """The row of the times for the batch and the precision of the training."""
        rows = self.timing["rows"] if self.timing else []
        own = [r for r in rows if r["precision"] == rows[0]["precision"] and r["work"] == work]
        return next((r for r in own if r["batch"] == self.choices["train"]["batch"]), None)


def read(name: str, found: dict[str, Any], seeds: list[int], text: Callable[[str], str | None]) -> Result:
    """The result that ``text`` reads by the path of a file, for these seeds; None says a file is missing."""

    def values(path: str) -> Any:
        content = text(path)
        if content is None:
            raise InputError(f"{name} has no {path}; finish it with snakemake first")
        return json.loads(content)

    accuracy = {seed: float(values(f"seed-{seed}/evaluation.json")["accuracy"]) for seed in seeds}
    timing = text("timing.json")
    return Result(name, found, accuracy, values("metrics.json"), json.loads(timing) if timing else None)


def of_directory(run: Path) -> Callable[[str], str | None]:
    """Reads the files of a directory."""
    return lambda path: (run / path).read_text(encoding="utf-8") if (run / path).exists() else None


def of_variant(name: str, run: Path) -> Result:
    """A variant of a study, whose params.yaml says what it is."""
    experiment = load(run / "params.yaml")
    return read(name, choices(experiment, *CHOICES), list(experiment.seeds), of_directory(run))


def of_seals(name: str, run: Path) -> Result:
    """Whatever was last sealed in a directory; seeds that were left there by another experiment are passed over."""
    manifests = sorted((run / "manifests").glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise InputError(f"{run} holds no finished experiment: no {run}/manifests/*.json; run snakemake first")
    found: dict[str, Any] = read_json(manifests[-1])["choices"]
    seeds = sorted(int(path.stem) for path in manifests if read_json(path)["choices"] == found)
    return read(name, found, seeds, of_directory(run))


def compared(base: Result, other: Result) -> Difference:
    """The difference in accuracy, paired by seed where equal seeds train on the same batches in the same order."""
    a, b = base.choices, other.choices
    return difference(
        base.accuracy, other.accuracy, a["data"] == b["data"] and a["train"]["batch"] == b["train"]["batch"]
    )
