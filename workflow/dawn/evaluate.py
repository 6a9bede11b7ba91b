"""Judge a trained network on the test split, each image once, however many processes share the work.

    python -m dawn.evaluate --params params.yaml --data data --stats data/stats.json
        --model results/seed-0/model.safetensors --out results/seed-0

Writes evaluation.json, predictions.npz (logits float32 (n, classes), labels uint8 (n,)) and confusion.csv
(a row an image: actual and predicted class).
"""

import argparse
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from dawn import cli
from dawn.batches import Split, load
from dawn.checkpoint import read_weights
from dawn.config.experiment import Experiment
from dawn.config.experiment import load as load_experiment
from dawn.distributed import World, joined
from dawn.files import read_json, replacing, write_json, write_table
from dawn.nets.build import build


def views(images: Tensor, tta: str) -> list[tuple[float, Tensor]]:
    """The weighted views of a batch (b, 3, h, w) whose logits are averaged; the weights sum to 1.

    mirror: the image and its mirror image. six: both of these at half weight, and both moved by a pixel towards
    either corner of the diagonal at a quarter each, the border reflected (airbench's multi-crop).
    """
    if tta == "none":
        return [(1.0, images)]
    if tta == "mirror":
        return [(0.5, images), (0.5, images.flip(3))]
    height, width = images.shape[2:]
    border = functional.pad(images, (1, 1, 1, 1), mode="reflect")
    moved = [border[:, :, i : i + height, i : i + width] for i in (0, 2)]
    return [(0.5 * w, v) for weight, x in ((0.5, images), (0.25, moved[0]), (0.25, moved[1])) for w, v in
            ((weight, x), (weight, x.flip(3)))]  # fmt: skip


@torch.inference_mode()
def predict(net: nn.Module, split: Split, tta: str, batch: int, world: World) -> Tensor:
    """Logits float32 (n, classes) of the whole split, on the CPU, in every process."""
    net.eval()
    bounds = [len(split) * rank // world.size for rank in (world.rank, world.rank + 1)]
    parts = []
    for first in range(bounds[0], bounds[1], batch):
        images, _ = split.slice(first, min(first + batch, bounds[1]))
        parts.append(sum((weight * net(view) for weight, view in views(images, tta)), torch.tensor(0.0)).cpu())
    mine = torch.cat(parts)
    if world.size == 1:
        return mine
    everyone: list[Tensor | None] = [None] * world.size
    dist.all_gather_object(everyone, mine)
    return torch.cat([part for part in everyone if part is not None])


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


def restored(experiment: Experiment, path: Path, classes: int) -> nn.Module:
    """The network with the weights of a file; weights of another network are refused."""
    net = build(experiment.model, classes, 0)
    tensors, _ = read_weights(path)
    made = "; train again, or name the weights of this experiment"
    try:
        missing, unexpected = net.load_state_dict(tensors, strict=False)
    except RuntimeError as error:
        first = str(error).strip().splitlines()[-1].strip()
        raise cli.Refusal(f"{path} does not fit {experiment.text('model')} ({first}){made}") from error
    missing = [name for name in missing if not name.endswith("num_batches_tracked")]
    if missing or unexpected:
        names = ", ".join([*missing, *unexpected][:3])
        raise cli.Refusal(f"{path} does not fit {experiment.text('model')} (see {names}){made}")
    return net


def write(out: Path, logits: Tensor, labels: Tensor, classes: list[str], bins: int) -> None:
    """The files of an evaluation."""
    with replacing(out / "predictions.npz") as partial, partial.open("wb") as file:
        np.savez_compressed(file, logits=logits.numpy(), labels=labels.numpy().astype(np.uint8))
    rows = [(classes[a], classes[p]) for a, p in zip(labels.tolist(), logits.argmax(1).tolist(), strict=True)]
    write_table(out / "confusion.csv", ("actual", "predicted"), rows, separator=",")
    write_json(out / "evaluation.json", judge(logits, labels, classes, bins))


def main() -> None:
    """Parse, predict, judge, write."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--stats", type=Path, required=True, help="channel statistics, JSON")
    parser.add_argument("--model", type=Path, required=True, help="the trained weights, safetensors")
    parser.add_argument("--out", type=Path, required=True, help="directory of the results")
    args: argparse.Namespace = parser.parse_args()
    experiment = load_experiment(args.params)
    classes = read_json(args.data / "dataset.json")["classes"]
    with joined() as world:
        split = load(args.data, args.stats, "test", world.device)
        net = restored(experiment, args.model, len(classes)).to(memory_format=torch.channels_last).to(world.device)
        logits = predict(net, split, experiment.evaluate.tta, experiment.evaluate.batch, world)
        if world.first:
            write(args.out, logits, split.labels.cpu(), classes, experiment.evaluate.bins)


if __name__ == "__main__":
    cli.run(main)
