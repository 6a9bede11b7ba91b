"""What is published of an experiment, from its files: settings, the values of its seeds, where they are from.

All that the files say twice is compared: their checksums, the settings, the means over the seeds, the accuracies.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.config.task import Measure
from dawn.core.cli import InputError, listed
from dawn.core.reading import read_json
from dawn.reproduction import description, settings
from dawn.reproduction.analyses import Published
from dawn.reproduction.files import DESCRIPTION, Sum, copy
from dawn.results import manifest
from dawn.results.finished import changes
from dawn.results.independence import groups, named, sharing, suspicious
from dawn.results.measures import over_seeds, value
from dawn.results.predictions import load_predictions
from dawn.results.provenance import names_of
from dawn.results.run import of_seeds

PREDICTIONS = "predictions.npz"
CLOSE = 1e-9  # relative: means are computed anew


@dataclass(frozen=True)
class Publication:
    """What is to be reproduced.

    name        of the crate, or of what a table is about
    experiment  the settings
    measure     by which it is compared
    values      of the measure, as published
    seconds     of a training on ``hardware``, as published, where that is known
    hardware    the GPUs, or the CPU
    seeds       those of ``results``; () without files
    results     the directory of its files; None where there are only numbers
    trainings   metrics.json of each seed
    provenance  provenance.json; None without files
    sums        of all files, by their names in the crate
    extra       files that the crate does not describe, and that are not used
    findings    what is wrong with the seeds, in sentences
    remark      what a table says of its settings
    """

    name: str
    experiment: Experiment
    measure: Measure
    values: Published
    seconds: Published | None
    hardware: str
    seeds: tuple[int, ...] = ()
    results: Path | None = None
    trainings: Sequence[dict[str, Any]] = ()
    provenance: dict[str, Any] | None = None
    sums: Mapping[str, Sum] = field(default_factory=dict)
    extra: Sequence[str] = ()
    findings: Sequence[str] = ()
    remark: str = ""


def read(source: Path, folder: Path, root: Path, key: str | None = None) -> Publication:
    """Read and check a crate or a folder, whose results are copied to ``folder``; ``root`` is the checkout.

    The measure is that of ``key``, else the first by which studies can decide.
    """
    sums, name, extra = copy(source, folder), source.name, []
    if DESCRIPTION in sums:
        known = description.read(folder, str(source))
        name, extra = known.name, known.check(sums, str(source))
    results = folder / "results"
    require(source, sums, ["params.yaml", "metrics.json", "provenance.json"])
    experiment = settings.read(results / "params.yaml", root)
    check_seeds(source, experiment, results, sums)
    paths = [results / f"seed-{seed}" for seed in experiment.seeds]
    evaluations, trainings = of_seeds(experiment.declared, paths)
    provenance = read_json(results / "provenance.json", experiment.declared.provenance)
    check_means(source, experiment, results, evaluations)
    for path, evaluation in zip(paths, evaluations, strict=True):
        check_accuracy(source, path, evaluation)
    measure = chosen(experiment, evaluations, key)
    numbers = [float(value(evaluation, measure.key) or 0) for evaluation in evaluations]
    machine = provenance["machine"]
    experiment = settings.with_processes(experiment, trainings[0]["processes"])
    return Publication(
        name, experiment, measure, Published.of(numbers),
        Published.of([float(training["seconds"]) for training in trainings]),
        ", ".join(names_of(machine["gpus"])) or machine["cpu"],
        experiment.seeds, results, trainings, provenance, sums, extra, suspicions(results, trainings, sums),
    )  # fmt: skip


def require(source: Path, sums: Mapping[str, Sum], names: Sequence[str]) -> None:
    """Raise an InputError unless these files of the results are there."""
    if missing := [name for name in names if f"results/{name}" not in sums]:
        raise InputError(f"{source} lacks {listed([f'results/{name}' for name in missing])}, so it is no finished run")


def check_seeds(source: Path, experiment: Experiment, results: Path, sums: Mapping[str, Sum]) -> None:
    """Raise an InputError unless every seed is whole, unchanged since its evaluation, and of these settings."""
    wanted = manifest.choices(experiment, *experiment.decided_by)
    require(source, sums, [f"manifests/{seed}.json" for seed in experiment.seeds])
    for seed in experiment.seeds:
        path = results / f"seed-{seed}"
        made = manifest.read(manifest.location(path))
        require(source, sums, [f"seed-{seed}/{name}" for name in made["sha256"]])
        names = {f"results/seed-{seed}/{name}": known for name, known in made["sha256"].items()}
        if changed := [name for name, known in names.items() if sums[name].sha256 != known]:
            raise InputError(f"{source}: {listed(changed)} was changed after the evaluation, by the seed's manifest")
        for choices in (made["choices"], manifest.header(path / "model.safetensors")):
            if different := changes(choices, {section: wanted[section] for section in wanted if section in choices}):
                raise InputError(
                    f"{source}: seed {seed} was made with other settings than results/params.yaml has ({different})"
                )


def check_means(source: Path, experiment: Experiment, results: Path, evaluations: list[dict[str, Any]]) -> None:
    """Raise an InputError unless the published means are those of the seeds."""
    published = read_json(results / "metrics.json", experiment.declared.summary)
    for measure in experiment.declared.measures:
        mean, said = mean_of(over_seeds(evaluations, measure)), mean_of(published.get(measure.key))
        same = mean == said if mean is None or said is None else math.isclose(mean, said, rel_tol=CLOSE)
        if not same:
            raise InputError(
                f"{source}: results/metrics.json says {measure.key} = {said}, and the mean of its seeds is {mean}"
            )


def mean_of(spread: Mapping[str, float | None] | None) -> float | None:
    """Return the mean of a quantity over seeds, None where it was not measured."""
    return None if spread is None else spread["mean"]


def check_accuracy(source: Path, seed: Path, evaluation: Mapping[str, Any]) -> None:
    """Raise an InputError unless the accuracy of a seed is that of its predictions, where there are some."""
    if not (seed / PREDICTIONS).is_file() or "accuracy" not in evaluation:
        return
    logits, labels, *_ = load_predictions(seed / PREDICTIONS, f"{seed.name}/{PREDICTIONS}")
    accuracy = 100 * float((logits.argmax(1) == labels).mean())
    if not math.isclose(accuracy, evaluation["accuracy"], rel_tol=CLOSE, abs_tol=CLOSE):
        raise InputError(
            f"{source}: results/{seed.name}/evaluation.json says accuracy = {evaluation['accuracy']}, and its "
            f"predictions have {accuracy:g}"
        )


def chosen(experiment: Experiment, evaluations: Sequence[Mapping[str, Any]], key: str | None) -> Measure:
    """Return the measure by which results are compared: one that every seed has."""
    deciding = experiment.declared.deciding
    measured = [k for k in deciding if all(value(evaluation, k) is not None for evaluation in evaluations)]
    if not measured or (key is not None and key not in measured):
        raise InputError(f"--measure {key}: the published seeds have {', '.join(measured) or 'no measure'}")
    return deciding[key or measured[0]]


def suspicions(results: Path, trainings: Sequence[Mapping[str, Any]], sums: Mapping[str, Sum]) -> list[str]:
    """Return what shows, without a training, that the seeds are not independent."""
    seeds = [training["seed"] for training in trainings]
    weights = groups({seed: sums[f"results/seed-{seed}/model.safetensors"].sha256 for seed in seeds})
    curves = {seed: (results / f"seed-{seed}/curve.tsv").read_text(encoding="utf-8") for seed in seeds}
    dependent = "The published seeds are not independent:"
    shared = [
        f"{dependent} {named(same)} share their first step, so they are one training." for same in sharing(trainings)
    ]
    shared += [f"{dependent} {named(same)} have the same weights." for same in weights]
    return shared or [f"The published {text[0].lower()}{text[1:]}" for text in suspicious(curves)]
