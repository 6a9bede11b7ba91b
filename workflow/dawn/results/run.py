"""A finished experiment as its pages read it."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.config.task import Task
from dawn.core.cli import InputError
from dawn.core.reading import REMEDY, read_json
from dawn.results.manifest import seed_number


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
        return cls(experiment, seeds, *of_seeds(experiment.declared, seeds), metrics, provenance, plots)

    @classmethod
    def of_files(
        cls, experiment: Experiment, seeds: Sequence[Path], metrics: Path, provenance: Path, plots: Path | None = None
    ) -> "Run":
        """The run with what is in metrics.json and provenance.json, and in the files of its seeds."""
        task = experiment.declared
        over_seeds, origin = read_json(metrics, task.summary), read_json(provenance, task.provenance)
        if over_seeds["seeds"] != len(seeds):
            raise InputError(f"{metrics} is of {over_seeds['seeds']} seeds and not of {len(seeds)}; {REMEDY}")
        return cls.read(experiment, seeds, over_seeds, origin, plots)


def of_seeds(task: Task, seeds: Iterable[Path]) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """evaluation.json and metrics.json of seeds, given by their directories."""
    evaluations, trainings = [], []
    for seed in seeds:
        evaluations.append(read_json(seed / "evaluation.json", task.evaluation))
        trainings.append(read_json(path := seed / "metrics.json", task.training))
        if trainings[-1]["seed"] != seed_number(seed):
            raise InputError(f"{path} is of seed {trainings[-1]['seed']}; delete it, and snakemake makes it again")
        if _measured(evaluations[-1]) != _measured(evaluations[0]):
            raise InputError(f"{seed}/evaluation.json is of other images or classes than the first seed's; {REMEDY}")
    return evaluations, trainings


def _measured(evaluation: Mapping[str, Any]) -> list[Any]:
    """Return what an evaluation is of: the number of images, and the names of the classes or domains."""
    names = evaluation.get("class_names") or evaluation.get("names") or list(evaluation.get("classes", ()))
    return [evaluation.get("images"), names, list(evaluation.get("measures", ()))]
