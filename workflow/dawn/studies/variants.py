"""The results of one experiment over its seeds, from a directory, whose files are verified, or from DVC's cache."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config import registry
from dawn.config.experiment import Experiment, load
from dawn.config.records import OfVariant, Timing
from dawn.config.task import Measure, Task
from dawn.core.cli import InputError
from dawn.core.reading import decoded, from_json, read_bytes
from dawn.results import manifest
from dawn.results.independence import require_independent
from dawn.results.manifest import choices, location, seed_number, verify
from dawn.results.measures import over_seeds, value
from dawn.results.revision import not_in_cache, opened

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
        """Return a measure by seed; the seeds in which it was not measured are left out."""
        return {seed: number for seed, evaluation in self.evaluations.items()
                if (number := value(evaluation, measure)) is not None}  # fmt: skip

    @property
    def curves(self) -> dict[int, str]:
        """The text of curve.tsv by seed, where there is one."""
        return {seed: decoded(content, f"{self.name}: seed-{seed}/curve.tsv") for seed in self.evaluations
                if (content := self.content_of(f"seed-{seed}/curve.tsv")) is not None}  # fmt: skip

    def summary(self, measure: Measure) -> dict[str, float | None] | None:
        """Return mean, std and 95 % interval of a measure over the seeds; None where no seed has it.

        With one seed, the interval is that over the images, where its evaluation has one.
        """
        return over_seeds(list(self.evaluations.values()), measure)

    @property
    def declared(self) -> Task:
        """The declaration of the task of the experiment."""
        return registry.task_of(self.choices)

    @property
    def task(self) -> str:
        """The name of the task."""
        return self.declared.name

    @property
    def has_predictions(self) -> bool:
        """Whether the result has a prediction for each test image."""
        return PREDICTIONS in self.declared.evaluation_files

    @property
    def batch(self) -> int:
        """The batch size of the training."""
        return int(self.choices[self.declared.main]["batch"])

    def time(self, work: str) -> dict[str, Any] | None:
        """Return the row of timing.json for the batch and the precision of the training."""
        rows = self.timing["rows"] if self.timing else []
        wanted = (work, self.batch, rows[0]["precision"] if rows else None)
        return next((r for r in rows if (r["work"], r["batch"], r["precision"]) == wanted), None)


def read(name: str, chosen: dict[str, Any], seeds: Iterable[int], content_of: Content) -> Result:
    """Read the result of these seeds; an InputError where some are parts of one training."""

    task = registry.task_of(chosen)

    def of_seed(seed: int, file: str, kind: Any) -> Any:
        if (content := content_of(f"seed-{seed}/{file}")) is None:
            raise InputError(f"{name} has no seed-{seed}/{file}; finish it with snakemake")
        return from_json(content, f"{name}: seed-{seed}/{file}", kind)

    evaluations, trainings = (
        {seed: of_seed(seed, file, kind) for seed in seeds}
        for file, kind in (("evaluation.json", task.evaluation), ("metrics.json", task.training))
    )
    require_independent(name, trainings.values())
    metrics, timing, provenance = (
        None if (content := content_of(file)) is None else from_json(content, f"{name}: {file}", kind)
        for file, kind in (("metrics.json", task.summary), ("timing.json", Timing), ("provenance.json", OfVariant))
    )
    return Result(name, chosen, evaluations, trainings, metrics, timing, provenance, content_of)


def finished(run: Path, experiment: Experiment, seeds: Iterable[int] | None = None) -> list[Path]:
    """Return the directories of the first of ``seeds`` (all of the experiment) that are finished with its choices."""
    wanted, paths = choices(experiment, *experiment.decided_by), []
    for seed in experiment.seeds if seeds is None else seeds:
        path = run / f"seed-{seed}"
        if not location(path).is_file() or manifest.read(location(path))["choices"] != wanted:
            break
        paths.append(path)
    return paths


def of_variant(name: str, run: Path, seeds: Iterable[int]) -> Result:
    """Read a variant of a study: of these seeds the first ones that are finished."""
    experiment = load(run / "params.yaml")
    numbers = [seed_number(path) for path in finished(run, experiment, seeds)]
    return _of_directory(name, run, choices(experiment, *experiment.decided_by), numbers)


def of_directory(name: str, run: Path) -> Result:
    """Read the experiment that was last finished in a directory; other experiments' seeds in it are passed over."""
    manifests = sorted((run / "manifests").glob("*.json"), key=lambda path: path.stat().st_mtime)
    if not manifests:
        raise InputError(f"{run} holds no finished experiment: no {run}/manifests/*.json; run snakemake first")
    chosen: dict[str, Any] = manifest.read(manifests[-1])["choices"]
    seeds = sorted(seed_number(Path(path.stem)) for path in manifests if manifest.read(path)["choices"] == chosen)
    return _of_directory(name, run, chosen, seeds)


def _of_directory(name: str, run: Path, chosen: dict[str, Any], seeds: list[int]) -> Result:
    for seed in seeds:
        verify(run / f"seed-{seed}", READ.intersection(registry.task_of(chosen).seed_files))
    return read(name, chosen, seeds, lambda file: read_bytes(run / file) if (run / file).exists() else None)


def of_revision(name: str) -> Result | None:
    """Read an experiment, branch or commit from DVC's cache; None where there is no DVC, or no such name in it."""
    stored = opened(name)
    if stored is None:
        return None
    files, experiment = stored

    def content_of(path: str) -> bytes | None:
        try:
            return bytes(files.read_bytes(f"results/{path}"))
        except FileNotFoundError as error:
            if path in ("timing.json", "provenance.json"):
                return None
            raise not_in_cache(name, f"results/{path}") from error

    return read(name, choices(experiment, *experiment.decided_by), list(experiment.seeds), content_of)


def trained(choices: Mapping[str, Any]) -> dict[str, Any]:
    """Return the sections that decided the weights, of those that decided a result."""
    return {section: choices[section] for section in registry.task_of(choices).trained_by}


def same_batches(results: Collection[Result]) -> bool:
    """Return whether equal seeds train on equal batches in equal order: with the same data and batch size."""
    first, *rest = results
    return all(same_data(first, r) and first.batch == r.batch and first.task == r.task for r in rest)


def same_data(a: Result, b: Result) -> bool:
    """Return whether two experiments read the same images, by the archive's checksum, or by its place without one."""
    one, other = ({key: value for key, value in r.choices["data"].items() if key not in SOURCE} for r in (a, b))
    sums = [archive(r) for r in (a, b)]
    same_archive = a.choices["data"] == b.choices["data"] if None in sums else sums[0] == sums[1]
    return one == other and same_archive


def archive(result: Result) -> str | None:
    """Return the SHA-256 of the archive, as it was unpacked or as it had to be."""
    unpacked: Mapping[str, Any] = (result.provenance or {}).get("data", {})
    checksum: str | None = unpacked.get("sha256") or result.choices["data"]["sha256"]
    return checksum
