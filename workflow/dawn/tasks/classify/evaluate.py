"""``dawn.evaluate`` for a classifier: its predictions of the test split.

Writes predictions.npz (logits float32 (n, classes), labels unsigned (n,), files: where each image comes from) and
confusion.csv (a row an image: actual and predicted class).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dawn.config.experiment import Experiment
from dawn.config.records import Named
from dawn.core.array_file import save_arrays
from dawn.core.cli import InputError
from dawn.core.files import write_table
from dawn.core.reading import read_json
from dawn.data.dataset import load
from dawn.data.file_names import file_names
from dawn.results.ranks import among_top
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World
from dawn.tasks.classify.calibration import error_if_calibrated, expected_error
from dawn.tasks.classify.inference import evaluation_logits, require_finite, warm_up
from dawn.tasks.classify.networks.build import restored


def metrics_of(logits: Tensor, labels: Tensor, classes: list[str], bins: int) -> dict[str, Any]:
    """The metrics of logits (n, classes) and labels (n,), in percent; loss in nats, calibration errors in 0 .. 1."""
    n, predicted = len(labels), logits.argmax(1)
    confusion = torch.bincount(labels * len(classes) + predicted, minlength=len(classes) ** 2).view(len(classes), -1)
    confidence, right = logits.softmax(1).max(1).values.numpy(), (predicted == labels).numpy()
    hits, actual, claimed = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    return {
        "images": n,
        "accuracy": 100 * int(right.sum()) / n,
        "top5": 100 * int(among_top(logits.numpy(), labels.numpy()).sum()) / n,
        "loss": float(functional.cross_entropy(logits.double(), labels)),
        "calibration_error": expected_error(confidence, right, bins),
        "calibration_error_if_calibrated": error_if_calibrated(confidence, bins),
        "classes": {
            name: {"recall": percent(hits[i], actual[i]), "precision": percent(hits[i], claimed[i])}
            for i, name in enumerate(classes)
        },
        "confusion": confusion.tolist(),
    }


def percent(part: Tensor, whole: Tensor) -> float | None:
    """100 part / whole, or None where the whole is 0."""
    return 100 * int(part) / int(whole) if int(whole) else None


def evaluate(args: argparse.Namespace, experiment: Experiment, world: World) -> dict[str, Any]:
    """Predict the test split, each image once, on all processes, and write the predictions. Return evaluation.json."""
    if args.stats is None:
        raise InputError("--stats: a classifier needs the channel statistics, such as data/stats.json")
    classes = read_json(args.data / "dataset.json", Named)["classes"]
    split = load(args.data, args.stats, "test", world.device)
    net, clock = restored(experiment.model, args.model, len(classes)).to(world.device), Clock(world.device)
    if world.device.type == "cuda":
        warm_up(net, split, experiment, world)
    with clock.phase("evaluate"):
        logits = evaluation_logits(net, split, experiment, world)
    require_finite(logits, args.model)
    labels = split.labels.cpu()
    if world.first:
        write(args.out, logits, labels, classes, file_names(args.data, "test", len(labels)))
    seconds = clock.seconds["evaluate"]
    return metrics_of(logits, labels, classes, experiment.evaluate.bins) | {"seconds": seconds}


def write(out: Path, logits: Tensor, labels: Tensor, classes: list[str], names: list[str]) -> None:
    """Write predictions.npz and confusion.csv."""
    kind = np.min_scalar_type(len(classes) - 1)
    arrays = {"logits": logits.numpy(), "labels": labels.numpy().astype(kind), "files": np.array(names)}
    save_arrays(out / "predictions.npz", compressed=True, **arrays)
    rows = [(classes[a], classes[p]) for a, p in zip(labels.tolist(), logits.argmax(1).tolist(), strict=True)]
    write_table(out / "confusion.csv", ("actual", "predicted"), rows, separator=",")
