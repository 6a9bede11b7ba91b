"""A finished experiment as its pages read it."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.core.reading import read_json


@dataclass(frozen=True)
class Run:
    """An experiment, the directories of its seeds, and what is in their files.

    evaluations  evaluation.json of each seed
    trainings    metrics.json of each seed
    metrics      metrics.json over the seeds
    provenance   provenance.json
    plots        the directory of the figures; None where there are none
    """

    experiment: Experiment
    seeds: Sequence[Path]
    evaluations: list[dict[str, Any]]
    trainings: list[dict[str, Any]]
    metrics: dict[str, Any]
    provenance: dict[str, Any]
    plots: Path | None = None

    @classmethod
    def read(
        cls, experiment: Experiment, seeds: Sequence[Path], metrics: dict[str, Any], provenance: dict[str, Any],
        plots: Path | None = None,
    ) -> "Run":  # fmt: skip
        """The run with the files of its seeds."""
        evaluations, trainings = (
            [read_json(seed / name) for seed in seeds] for name in ("evaluation.json", "metrics.json")
        )
        return cls(experiment, seeds, evaluations, trainings, metrics, provenance, plots)
