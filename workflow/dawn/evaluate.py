"""Judge a trained network on the test split, each image once, however many processes share the work.

    python -m dawn.evaluate --params params.yaml --data data --stats data/stats.json
        --model results/seed-0/model.safetensors --out results/seed-0 --manifest results/manifests/0.json

Writes evaluation.json, predictions.npz (logits float32 (n, classes), labels uint8 (n,)) and confusion.csv
(a row an image: actual and predicted class). With --manifest, which needs the files of the training in --out as well,
the manifest of the seed: dawn.summarize refuses files that do not match it.
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
from dawn.models.inference import final, rehearse
from dawn.models.weights import restored
from dawn.results.manifest import manifest
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, joined


def calibration_error(confidence: Tensor, right: Tensor, bins: int) -> float:
    """Expected calibration error over equal bins of confidence: the mean gap between confidence and accuracy.

    Guo et al., arXiv 1706.04599; confidence (n,) in [0, 1], right (n,) 0 or 1; each bin weighs by its images.
    """
    place = (confidence * bins).long().clamp(0, bins - 1)
    gap = torch.zeros(bins, dtype=torch.float64).index_add_(0, place, confidence.double() - right.double())
    return float(gap.abs().sum() / len(confidence))


def judge(logits: Tensor, labels: Tensor, classes: list[str], bins: int) -> dict[str, Any]:
    """What (n, classes) logits say about (n,) labels; shares in percent, the calibration error in 0 .. 1."""
    n, predicted = len(labels), logits.argmax(1)
    confusion = torch.bincount(labels * len(classes) + predicted, minlength=len(classes) ** 2).view(len(classes), -1)
    top = logits.topk(min(5, len(classes)), 1).indices
    confidence = logits.softmax(1).max(1).values
    hits, actual, claimed = confusion.diagonal(), confusion.sum(1), confusion.sum(0)
    return {
        "images": n,
        "accuracy": 100 * int((predicted == labels).sum()) / n,
        "top5": 100 * int((top == labels[:, None]).any(1).sum()) / n,
        "loss": float(functional.cross_entropy(logits.double(), labels)),
        "calibration_error": calibration_error(confidence, predicted == labels, bins),
        "classes": {
            name: {"recall": percent(hits[i], actual[i]), "precision": percent(hits[i], claimed[i])}
            for i, name in enumerate(classes)
        },
        "confusion": confusion.tolist(),
    }


def percent(part: Tensor, whole: Tensor) -> float | None:
    """100 part / whole, or None where there is nothing to take a part of."""
    return 100 * int(part) / int(whole) if int(whole) else None


def write(out: Path, logits: Tensor, labels: Tensor, classes: list[str], bins: int, seconds: float) -> None:
    """The files of an evaluation; ``seconds`` are those of the looks at the images."""
    with replacing(out / "predictions.npz") as partial, partial.open("wb") as file:
        np.savez_compressed(file, logits=logits.numpy(), labels=labels.numpy().astype(np.uint8))
    rows = [(classes[a], classes[p]) for a, p in zip(labels.tolist(), logits.argmax(1).tolist(), strict=True)]
    write_table(out / "confusion.csv", ("actual", "predicted"), rows, separator=",")
    write_json(out / "evaluation.json", judge(logits, labels, classes, bins) | {"seconds": seconds})


def run(args: argparse.Namespace, experiment: Experiment, world: World) -> None:
    """Load, look, judge, write."""
    classes = read_json(args.data / "dataset.json")["classes"]
    split = load(args.data, args.stats, "test", world.device)
    net, clock = restored(experiment.model, args.model, len(classes)).to(world.device), Clock(world.device)
    if world.device.type == "cuda":
        rehearse(net, split, experiment, world)
    with clock.phase("evaluate"):
        logits = final(net, split, experiment, world)
    if world.first:
        write(args.out, logits, split.labels.cpu(), classes, experiment.evaluate.bins, clock.seconds["evaluate"])
        if args.manifest:
            write_json(args.manifest, manifest(experiment, args.out))


def main() -> None:
    """Parse, predict, judge, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--stats", type=Path, required=True, help="channel statistics, JSON")
    parser.add_argument("--model", type=Path, required=True, help="the trained weights, safetensors")
    parser.add_argument("--out", type=Path, required=True, help="directory of the results")
    parser.add_argument("--manifest", type=Path, help="the manifest of --out, JSON: choices and checksums (none)")
    args: argparse.Namespace = parser.parse_args()
    experiment = load_experiment(args.params)
    with joined() as world:
        run(args, experiment, world)


if __name__ == "__main__":
    cli.run(main)
