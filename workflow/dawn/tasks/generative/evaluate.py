"""As many samples as the test split has images, measured by the judges.

Writes samples.npy uint8 (n, h, w, 3), sample_labels.npy uint8 or uint16 (n,): the classes that a conditional generator
was asked for, those of the test split; else the classes that the first judge sees; and interpolation.npy uint8 (8, 9,
h, w, 3): rows from one sample to another. With data.holdout the critic gap is measured, with --cas the accuracy of a
classifier that was trained on samples is added.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np

from dawn.config.experiment import Experiment
from dawn.core import cli
from dawn.core.array_file import SERIES, load_array, load_arrays, save_array
from dawn.core.reading import REMEDY, read_json
from dawn.data.splits import load_split
from dawn.measures import evaluation
from dawn.measures.classes import class_accuracy
from dawn.measures.estimate import Floats, spaced
from dawn.measures.kid import kid, own_sums
from dawn.results.predictions import load_predictions
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.generative.judges import OF_REAL, Arrays, Judge, features_file, judges
from dawn.tasks.generative.records import References
from dawn.tasks.generative.sampler import Images, Labels, Sampler

PAIRS, STEPS = 8, 9  # rows and columns of interpolation.npy
MOST_SCORED = 10_000  # images of each split whose scores are the critic gap


def evaluate(sampler: Sampler, args: argparse.Namespace, experiment: Experiment, world: World) -> dict[str, Any]:
    """Write the samples, and return their evaluation."""
    if not args.stats or not args.judges or not args.references:
        raise cli.InputError("samples are measured by judges: give --stats, --judges and --references")
    classifiers = judges(args.judges, args.data, args.stats, world.device)
    references = read_json(args.references, References)
    check(references, classifiers, experiment, args.references)
    clock, truncation = Clock(world.device), experiment.measures.truncation
    seed = read_json(args.out / "metrics.json", experiment.declared.training)["seed"]
    test, labels = split(args.data, "test")
    wanted = labels.astype(np.int64)
    with clock.phase("sample"):
        made = sampler.samples(seed, wanted, truncation)
        pairs = [(2 * row, 2 * row + 1) for row in range(PAIRS)]
        rows = sampler.between(seed, pairs, STEPS, np.resize(wanted[::2], PAIRS), truncation)
    with clock.phase("measure"):
        features, logits = zip(*(seen_by(judge, made, args.references) for judge in classifiers), strict=True)
        result = evaluation.evaluation(
            features, made, test, references["measures"], wanted if sampler.conditional else None,
            critic_scores(sampler, args.data, experiment), experiment.measures.neighbours,
            train=split(args.data, "train")[0], pixels=np.array(references["pixels"]),
        )  # fmt: skip
        result["progress"] = progress(classifiers, [judge.layers for judge in features], args.out / "progress.npy")
    asked = wanted if sampler.conditional else logits[0].argmax(1)
    save_array(args.out / "samples.npy", made)
    save_array(args.out / "interpolation.npy", rows)
    save_array(args.out / "sample_labels.npy", asked.astype(np.min_scalar_type(len(sampler.classes) - 1)))
    if args.cas:
        path = args.cas / "predictions.npz"
        result["measures"]["cas"] = class_accuracy(*load_predictions(path, path)).entry()
    about = {"judges": [judge.about() for judge in classifiers], "conditional": sampler.conditional,
             "class_names": sampler.classes, "seconds": clock.seconds}  # fmt: skip
    return about | result


def check(references: dict[str, Any], judges: list[Judge], experiment: Experiment, path: Path) -> None:
    """Refuse references that are of other judges or of another number of neighbours."""
    if references["neighbours"] != experiment.measures.neighbours:
        raise cli.InputError(
            f"measures.neighbours = {experiment.measures.neighbours}, but {path} has {references['neighbours']}: "
            "set it for all variants alike"
        )
    if "pixels" not in references or references["judges"] != [judge.about()["sha256"] for judge in judges]:
        raise cli.InputError(
            f"{path} is of other judges or an earlier version; delete it, and snakemake makes it again"
        )


def split(data: Path, name: str) -> tuple[Images, Labels]:
    """Images uint8 (n, h, w, 3) and labels (n,) of a split."""
    images, labels = load_split(data, name)
    return np.array(images), np.array(labels)


def seen_by(judge: Judge, made: Images, references: Path) -> tuple[evaluation.Judge, Floats]:
    """Return a judge's features of the samples and of the real images, and its logits of the samples."""
    path, features = features_file(references, judge), judge.features(made)
    real, made_logits = load_arrays(path, path, OF_REAL), features.pop("logits")
    layers: dict[str, Arrays] = {layer: {"samples": array} for layer, array in features.items()}
    for name, array in real.items():
        layer, _, kind = name.partition("/")
        if array.shape[1] != features.get(layer, made_logits).shape[1]:
            raise cli.InputError(f"{path}: {name} is not of this judge; {REMEDY}")
        if layer in layers:
            layers[layer][kind] = array
    return evaluation.Judge(layers, {"samples": made_logits, "test": real["logits/test"]}), made_logits


def critic_scores(sampler: Sampler, data: Path, experiment: Experiment) -> tuple[Floats, Floats] | None:
    """The critic's scores of train and of held-out images; None where no images are held out, or there is no critic."""
    if not experiment.data.holdout:
        return None
    scores = []
    for name in ("train", "holdout"):
        images, labels = split(data, name)
        some = spaced(len(labels), MOST_SCORED)
        scores.append(sampler.scores(images[some], labels[some].astype(np.int64)))
    train, holdout = scores
    return None if train is None or holdout is None else (train, holdout)


def progress(judges: list[Judge], layers: list[Any], path: Path) -> list[dict[str, Any]]:
    """KID of the samples kept along the training, an entry for each row of progress.npy; few images, so uncertain."""
    rows = load_array(path, SERIES)
    real = [sets[evaluation.MAIN]["test"] for sets in layers]
    known = [(judge, test, own_sums(test)) for judge, test in zip(judges, real, strict=True)]
    return [
        evaluation.entry_of([kid(judge.features(images)[evaluation.MAIN], *test) for judge, *test in known])
        for images in rows
    ]
