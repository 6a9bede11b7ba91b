"""Evaluate a trained network on the test split, each image once, on one process or several.

    python -m dawn.evaluate --params params.yaml --data data --stats data/stats.json
        --model results/seed-0/model.safetensors --out results/seed-0 --manifest results/manifests/0.json

Writes evaluation.json, predictions.npz (logits float32 (n, classes), labels unsigned (n,)) and confusion.csv (a row an
image: actual and predicted class). With --manifest also the manifest of the seed: the choices that made its
files, those of its training included, and the checksum of each. Whoever reads the files verifies them by it. The
manifests of all seeds are in one directory, since a DVC stage can depend on a directory, but not on a list of files
whose length params.yaml decides.
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from dawn.config.experiment import Experiment
from dawn.config.experiment import load as load_experiment
from dawn.core import cli
from dawn.core.files import read_json, replacing, write_json, write_table
from dawn.data.dataset import load
from dawn.models.inference import evaluation_logits, warm_up
from dawn.models.weights import restored
from dawn.results.calibration import error_if_calibrated, expected_error
from dawn.results.manifest import manifest
from dawn.results.ranks import among_top
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined


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


def write(out: Path, logits: Tensor, labels: Tensor, classes: list[str], bins: int, seconds: float) -> None:
    """Write the files of an evaluation that took ``seconds`` on the clock."""
    kind = np.min_scalar_type(len(classes) - 1)
    with replacing(out / "predictions.npz") as partial, partial.open("wb") as file:
        np.savez_compressed(file, logits=logits.numpy(), labels=labels.numpy().astype(kind))
    rows = [(classes[a], classes[p]) for a, p in zip(labels.tolist(), logits.argmax(1).tolist(), strict=True)]
    write_table(out / "confusion.csv", ("actual", "predicted"), rows, separator=",")
    write_json(out / "evaluation.json", metrics_of(logits, labels, classes, bins) | {"seconds": seconds})


def evaluate(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Load the network and the test split, predict; the first process writes the files and then the manifest."""
    classes = read_json(args.data / "dataset.json")["classes"]
    split = load(args.data, args.stats, "test", world.device)
    net, clock = restored(experiment.model, args.model, len(classes)).to(world.device), Clock(world.device)
    if world.device.type == "cuda":
        warm_up(net, split, experiment, world)
    with clock.phase("evaluate"):
        logits = evaluation_logits(net, split, experiment, world)
    if world.first:
        write(args.out, logits, split.labels.cpu(), classes, experiment.evaluate.bins, clock.seconds["evaluate"])
        if args.manifest:
            write_json(args.manifest, manifest(experiment, args.out))


def main() -> None:
    """Parse the command line and evaluate."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    parser.add_argument("--model", type=Path, required=True, help="the trained weights, safetensors")
    cli.add_out(parser, "directory of the seed's results")
    parser.add_argument("--manifest", type=Path, help="the manifest of the seed, JSON (none)")
    args = parser.parse_args()
    if args.manifest and args.model.resolve() != (args.out / "model.safetensors").resolve():
        raise cli.InputError(f"--manifest is for the seed's own weights {args.out}/model.safetensors, not {args.model}")
    experiment = load_experiment(args.params)
    with joined() as world:
        evaluate(args, experiment, world)


if __name__ == "__main__":
    cli.run(main)
