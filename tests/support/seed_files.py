"""The files of trained and evaluated seeds, written without training."""

from pathlib import Path
from typing import Any

import numpy as np
import torch
from conftest import experiment

from dawn.core.files import write_json, write_text
from dawn.engine.weights import write_weights
from dawn.results.curve import write_curve
from dawn.results.manifest import location, manifest
from dawn.summarize import summarize
from dawn.tasks.classify.curve import EpochMetrics


def seed(folder: Path, number: int, accuracies: list[float | None], seconds: float = 10.0, **over: object) -> Path:
    """The directory of a seed of the tiny experiment: a monitored accuracy for each epoch of so many seconds.

    The last accuracy is also that of the evaluation, on 100 images of cats and dogs.
    """
    path = folder / f"seed-{number}"
    curve = [
        EpochMetrics(i, 1.0 + number / 100, 50.0, 1.0, a, 0.1, 0.9, 100.0, seconds * i)
        for i, a in enumerate(accuracies, 1)
    ]
    write_curve(path / "curve.tsv", curve)
    training = {
        "seed": number, "seconds": curve[-1].seconds, "images_per_s": 100, "peak_memory_bytes": 5, "train_loss": 1,
        "train_accuracy": 50, "device": "cpu", "processes": 1, "precision": "fp32", "monitored": "test", "resumed": 0,
        "seconds_by_phase": {"train": curve[-1].seconds},
        "seconds_untimed": {"load": 3.0, "build": 1.0, "compile": 2.0},
    }  # fmt: skip
    write_json(path / "metrics.json", training)
    classes = {"cat": {"recall": 80.0 + number, "precision": None}, "dog": {"recall": None, "precision": None}}
    evaluation = {
        "images": 100, "accuracy": accuracies[-1], "top5": 99.0, "loss": 0.3, "calibration_error": 0.1,
        "calibration_error_if_calibrated": 0.05, "classes": classes, "confusion": [[25, 25], [25, 25]],
    }  # fmt: skip
    write_json(path / "evaluation.json", evaluation)
    write_text(path / "confusion.csv", f"actual,predicted\ncat,{number}\n")
    logits, names = np.array([[2, 1], [2, 1], [1, 2]], np.float32), ["cat/1.jpg", "dog/1.jpg", "cat/2.jpg"]
    np.savez(path / "predictions.npz", logits=logits, labels=np.array([0, 1, 0], np.uint8), files=np.array(names))
    choices = experiment(**over).text("data", "model", "train")
    write_weights(path / "model.safetensors", torch.nn.Linear(2, 2), choices, [], {})
    write_manifest(path, **over)
    return path


def write_manifest(path: Path, **over: object) -> None:
    """Write the manifest of the files as they are now."""
    write_json(location(path), manifest(experiment(**over), path))


def summarized(
    seeds: list[Path], model: dict[str, Any], target: float | None = 94.0, price: float | None = None
) -> dict:
    """The metrics over seeds of a classifier; ``model`` is model.json, ``price`` in dollars an hour."""
    numbers = [int(path.name.removeprefix("seed-")) for path in seeds]
    chosen = experiment(seeds=numbers, evaluate={"target": target}, submission={"cost_per_hour": price})
    return summarize(chosen, seeds, model)
