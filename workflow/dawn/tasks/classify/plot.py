"""``dawn.plot`` for a classifier: its training, errors and calibration. dawn.contact_sheet draws training images."""

import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from dawn.config.experiment import Experiment
from dawn.config.records import Dataset
from dawn.core import cli
from dawn.core.array_file import IMAGES, load_array
from dawn.core.reading import REMEDY, read_json
from dawn.results.curve import read_curve
from dawn.results.predictions import load_predictions
from dawn.results.run import of_seeds
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.figures.calibration import reliability
from dawn.tasks.classify.figures.classes import bars, confusion
from dawn.tasks.classify.figures.curves import accuracy_by_time, curves, time_to_target
from dawn.tasks.classify.figures.cycle import cycle
from dawn.tasks.classify.figures.images import filters, misclassified
from dawn.tasks.classify.mistakes import mistakes
from dawn.tasks.classify.schedule import Scheduler

SHOWN = 30  # mistakes
LONGEST = 22  # characters of a file's name under an image


def probabilities(path: Path) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Softmax of the logits of a predictions.npz, (n, classes), and the labels (n,)."""
    logits, labels = load_predictions(path, path)
    exponent = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return exponent / exponent.sum(1, keepdims=True), labels


def first_filters(path: Path) -> NDArray[np.floating[Any]]:
    """The filters (n, 3, h, w) of the first convolution: the first with three input channels."""
    try:
        with safe_open(path, "np") as file:
            for name in file.keys():  # noqa: SIM118 (no dict)
                shape = file.get_slice(name).get_shape()
                if len(shape) == 4 and shape[1] == 3:
                    return np.asarray(file.get_tensor(name))
    except SafetensorError as error:
        raise cli.InputError(f"{path} is not a safetensors file of weights ({error}); train again") from error
    raise cli.InputError(f"{path} has no convolution of three channels, so there are no first filters to draw")


def draw_cycle(experiment: Experiment, dataset: dict[str, Any]) -> Figure:
    """The schedule, over the steps that this data set makes of the epochs."""
    settings = experiment.train
    per_epoch = dataset["counts"]["train"] // settings.batch
    steps = max(1, math.ceil(settings.epochs * per_epoch - 1e-9))
    scheduler = Scheduler(settings, steps, per_epoch)
    scheduled = [scheduler.at(step) for step in range(steps)]
    rates, momenta = [settings.schedule.peak * at.lr for at in scheduled], [at.momentum for at in scheduled]
    return cycle(rates, momenta, per_epoch, settings.schedule.kind.replace("_", " "))


def draw_mistakes(seeds: Sequence[Path], images: NDArray[np.uint8], classes: Sequence[str]) -> Figure:
    """The images that the mean of the seeds' probabilities misclassifies with most confidence, and their files."""
    wrong = mistakes(seeds)
    shown = sorted(wrong, key=lambda mistake: -mistake.probability)[:SHOWN]
    texts = [
        f"{classes[m.prediction]} {100 * m.probability:.0f} %\nis {classes[m.label]}\n{end_of(m.path)}" for m in shown
    ]
    return misclassified(images[[m.row for m in shown]], texts, len(wrong), len(images), len(seeds))


def end_of(name: str) -> str:
    """The end of a file's name, as much of it as is shown."""
    return name if len(name) <= LONGEST else f"…{name[1 - LONGEST :]}"


def figures(seeds: Sequence[Path], experiment: Experiment, data: Path) -> dict[str, Callable[[], Figure]]:
    """A function that draws each figure, by its name."""
    dataset, target = read_json(data / "dataset.json", Dataset), experiment.evaluate.target
    classes = dataset["classes"]
    evaluations, trainings = of_seeds(experiment.declared, seeds)
    table = np.array([evaluation["confusion"] for evaluation in evaluations])
    trained = [read_curve(seed / "curve.tsv", EpochMetrics) for seed in seeds]
    monitored = trainings[0]["monitored"]
    predictions = [probabilities(seed / "predictions.npz") for seed in seeds]
    confidences = [(p.max(1), (p.argmax(1) == labels).astype(np.float64)) for p, labels in predictions]
    errors, by_chance = ([evaluation[f"calibration_error{which}"] for evaluation in evaluations]
                         for which in ("", "_if_calibrated"))  # fmt: skip
    images = load_array(data / "test_images.npy", IMAGES)
    for seed, evaluation, (logits, _) in zip(seeds, evaluations, predictions, strict=True):
        if list(evaluation["classes"]) != classes or not evaluation["images"] == len(logits) == len(images):
            raise cli.InputError(f"{seed} was evaluated on other images or classes than those of {data}; {REMEDY}")
    return {
        "cycle": lambda: draw_cycle(experiment, dataset),
        "curves": lambda: curves(trained, monitored, target),
        "time": lambda: (
            accuracy_by_time(trained, monitored) if target is None else time_to_target(trained, monitored, target)
        ),
        "confusion": lambda: confusion(table, classes),
        "classes": lambda: bars(table, classes),
        "calibration": lambda: reliability(confidences, experiment.evaluate.bins, errors, by_chance),
        "mistakes": lambda: draw_mistakes(seeds, images, classes),
        "filters": lambda: filters(first_filters(seeds[0] / "model.safetensors"), experiment.seeds[0]),
    }
