"""The results of one experiment over its seeds. What is read from a directory is verified by the seeds' manifests."""

import json
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config import registry
from dawn.config.experiment import Experiment, load
from dawn.config.task import Measure, Task
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.results.independence import require_independent
from dawn.results.manifest import choices, location, verify
from dawn.results.measures import over_seeds, value

PREDICTIONS = "predictions.npz"
READ = {"evaluation.json", "metrics.json", "curve.tsv", PREDICTIONS}  # files of a seed that are read
SOURCE = ("urls", "sha256", "bytes")  # settings of data that say where it is from
Content = Callable[[str], bytes | None]  # of a file by its path; None if there is none


@dataclass(frozen=True)
class Result:
    """One experiment over its seeds, which are in the order of the plan.

    evaluations  evaluation.json by seed
    trainings    metrics.json by seed
    metrics      metrics.json over the seeds; None where they are not all finished
    timing       timing.json; None where dawn.timing did not run
    provenance   provenance.json; None where it was not written
    content_of   returns a file by its path below the result's directory
    """

    name: str
    choices: dict[str, Any]
    evaluations: dict[int, dict[str, Any]]
    trainings: dict[int, dict[str, Any]]
    metrics: dict[str, Any] | None
    timing: dict[str, Any] | None
    provenance: dict[str, Any] | None
    content_of: Content

    def values(self, measure: str) -> dict[int, float]:
        """A measure by seed; the seeds in which it was not measured are left out."""
        found = {seed: value(evaluation, measure) for seed, evaluation in self.evaluations.items()}
        return {seed: number for seed, number in found.items() if number is not None}

    @property
    def curves(self) -> dict[int, str]:
        """The text of curve.tsv by seed, where there is one."""
        found = {seed: self.content_of(f"seed-{seed}/curve.tsv") for seed in self.evaluations}
        return {seed: content.decode() for seed, content in found.items() if content is not None}

    def summary(self, measure: Measure) -> dict[str, float | None] | None:
        """Mean, std and 95 % interval of a measure over the seeds; None where no seed has it.

        With one seed, the interval is that over the images, where its evaluation has one.
        """
        return over_seeds(list(self.evaluations.values()), measure)

    @property
    def declared(self) -> Task:
        """What the task of the experiment declares of itself."""
        return registry.task_of(self.choices)

    @property
    def task(self) -> str:
        """What was trained: the name of the task."""
        return self.declared.name

    @property
    def has_predictions(self) -> bool:
        """Whether there is a prediction for each test image."""
        return PREDICTIONS in self.declared.evaluation_files

    @property
    def batch(self) -> int:
        """The batch size of the training."""
        return int(self.choices[self.declared.main]["batch"])

    def time(self, work: str) -> dict[str, Any] | None:
        """The row of timing.json for the batch and the precision of the training."""
        rows = self.timing["rows"] if self.timing else []
        own = [r for r in rows if r["precision"] == rows[0]["precision"] and r["work"] == work]
        return next((r for r in own if r["batch"] == self.batch), None)


def read(name: str, found: dict[str, Any], seeds: Iterable[int], content_of: Content) -> Result:
    """The result of these seeds; an InputError where some are parts of one training."""

    def of_seed(seed: int, file: str) -> Any:
        if (content := content_of(f"seed-{seed}/{file}")) is None:
            raise InputError(f"{name} has no seed-{seed}/{file}; finish it with snakemake")
        return json.loads(content)

    evaluations, trainings = ({seed: of_seed(seed, file) for seed in seeds}
                              for file in ("evaluation.json", "metrics.json"))  # fmt: skip
    require_independent(name, trainings.values())
    contents = {file: content_of(file) for file in ("metrics.json", "timing.json", "provenance.json")}
    rest = {file: None if content is None else json.loads(content) for file, content in contents.items()}
    return Result(
        name, found, evaluations, trainings, rest["metrics.json"], rest["timing.json"], rest["provenance.json"],
        content_of,
    )  # fmt: skip


def finished(run: Path, experiment: Experiment, seeds: Iterable[int] | None = None) -> list[Path]:
    """The directories of the first of ``seeds`` (all of the experiment) that are finished with its choices."""
    wanted, found = choices(experiment, *experiment.decided_by), []
    for seed in experiment.seeds if seeds is None else seeds:
        path = run / f"seed-{seed}"
        if not location(path).is_file() or read_json(location(path))["choices"] != wanted:
            break
        found.append(path)
    return found


def of_variant(name: str, run: Path, seeds: Iterable[int]) -> Result:
    """A variant of a study: of these seeds the first ones that are finished."""
    experiment = load(run / "params.yaml")
    numbers = [int(path.name.removeprefix("seed-")) for path in finished(run, experiment, seeds)]
    return _of_directory(name, run, choices(experiment, *experiment.decided_by), numbers)


def of_directory(name: str, run: Path) -> Result:
    """The experiment that was last finished in a directory; other experiments' seeds in it are passed over."""
    manifests = sorted((run / "manifests").glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise InputError(f"{run} holds no finished experiment: no {run}/manifests/*.json; run snakemake first")
    found: dict[str, Any] = read_json(manifests[-1])["choices"]
    seeds = sorted(int(path.stem) for path in manifests if read_json(path)["choices"] == found)
    return _of_directory(name, run, found, seeds)


def _of_directory(name: str, run: Path, found: dict[str, Any], seeds: list[int]) -> Result:
    for seed in seeds:
        verify(run / f"seed-{seed}", READ.intersection(registry.task_of(found).seed_files))
    return read(name, found, seeds, lambda path: _content(run / path))


def trained(choices: Mapping[str, Any]) -> dict[str, Any]:
    """The sections that decided the weights, of those that decided a result."""
    return {section: choices[section] for section in registry.task_of(choices).trained_by}


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def same_batches(results: Collection[Result]) -> bool:
    """Whether equal seeds train on equal batches in equal order: with the same data and batch size."""
    first, *rest = results
    return all(same_data(first, r) and first.batch == r.batch and first.task == r.task for r in rest)


def same_data(a: Result, b: Result) -> bool:
    """Whether two experiments read the same images: by the archive's checksum, or by its place where one is unknown."""
    one, other = ({key: value for key, value in r.choices["data"].items() if key not in SOURCE} for r in (a, b))
    sums = [archive(r) for r in (a, b)]
    known = None not in sums
    return one == other and (sums[0] == sums[1] if known else a.choices["data"] == b.choices["data"])


def archive(result: Result) -> str | None:
    """The SHA-256 of the archive, as it was unpacked or as it had to be."""
    unpacked: Mapping[str, Any] = (result.provenance or {}).get("data", {})
    found: str | None = unpacked.get("sha256") or result.choices["data"]["sha256"]
    return found
