"""Inference on a split: logits averaged over views of each image, the images divided among the processes."""

import copy
import math
from collections.abc import Callable
from pathlib import Path

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from dawn.config.experiment import Experiment
from dawn.core.cli import InputError
from dawn.data.augment import normalise
from dawn.data.dataset import Split
from dawn.runtime.distributed import World
from dawn.runtime.precision import Precision


def views(images: Tensor, tta: str) -> list[tuple[float, Tensor]]:
    """The weighted views of a batch (b, 3, h, w) whose logits are averaged; the weights sum to 1.

    mirror: the image and its mirror image. six: the mean of these two at weight 1/2, and at weight 1/4 each the same of
    the image shifted by (-1, -1) and by (1, 1) pixels, its border reflected (airbench's multi-crop). six_equal: these
    views at equal weights (hiverge).
    """
    if tta == "none":
        return [(1.0, images)]
    if tta == "mirror":
        return [(0.5, images), (0.5, images.flip(3))]
    height, width = images.shape[2:]
    border = functional.pad(images, (1, 1, 1, 1), mode="reflect")
    moved = [border[:, :, i : i + height, i : i + width] for i in (0, 2)]
    weights = (1 / 6, 1 / 6, 1 / 6) if tta == "six_equal" else (1 / 4, 1 / 8, 1 / 8)
    pairs = zip(weights, (images, *moved), strict=True)
    return [(weight, view) for weight, image in pairs for view in (image, image.flip(3))]


@torch.inference_mode()
def predict(
    forward: Callable[[Tensor], Tensor], split: Split, tta: str, batch: int, world: World, fraction: float = 1.0
) -> Tensor:
    """Logits float32 (n, classes) of the whole split, on the CPU, in every process.

    With a ``fraction`` below 1 every image is evaluated without views first; the views of ``tta`` then replace the
    logits of that fraction of the images whose most likely class has the lowest probability. The choice does not
    depend on the number of processes.
    """
    indices = torch.arange(len(split), device=split.labels.device)
    if tta == "none" or fraction == 1:
        return logits_of(forward, split, indices, tta, batch, world)
    logits = logits_of(forward, split, indices, "none", batch, world)
    confidence = logits.softmax(1).amax(1)
    unsure = confidence.argsort(stable=True)[: math.ceil(fraction * len(split))]
    if len(unsure):
        logits[unsure] = logits_of(forward, split, unsure.to(indices.device), tta, batch, world)
    return logits


def evaluation_logits(net: nn.Module, split: Split, experiment: Experiment, world: World) -> Tensor:
    """``predict`` with the views, precision and image size of an experiment's final evaluation.

    ``net`` is an fp32 network; it is left in evaluation mode, channels-last and in the precision of the evaluation.
    """
    settings, sizes = experiment.evaluate, experiment.train.sizes
    net = net.to(memory_format=torch.channels_last).eval()
    precision = Precision(settings.precision, 1.0, net, world.device)
    resized = split.at(sizes[-1][1]) if sizes else split
    return predict(
        lambda images: precision.logits(net, images), resized, settings.tta, settings.batch, world,
        settings.tta_fraction,
    )  # fmt: skip


def warm_up(net: nn.Module, split: Split, experiment: Experiment, world: World) -> None:
    """Evaluate an fp32 copy of the network on noise, so that a GPU has loaded its kernels and chosen among them."""
    noise = Split(torch.randint_like(split.images, 256), split.labels, split.mean, split.std)
    evaluation_logits(copy.deepcopy(net).float(), noise, experiment, world)


def require_finite(logits: Tensor, weights: Path) -> None:
    """Refuse logits with NaN or infinity, which finite weights give too where they overflow."""
    if not bool(torch.isfinite(logits).all()):
        raise InputError(f"{weights} gives logits that are NaN or infinite; train again, with a lower learning rate")


def logits_of(
    forward: Callable[[Tensor], Tensor], split: Split, indices: Tensor, tta: str, batch: int, world: World
) -> Tensor:
    """Logits float32 (k, classes) of the images ``indices`` (k,), by the views of ``tta``, in every process."""
    first, last = (len(indices) * rank // world.size for rank in (world.rank, world.rank + 1))
    parts = []
    for part in torch.split(indices[first:last], batch):
        images = normalise(split.images[part], split.mean, split.std)
        parts.append(sum((weight * forward(view) for weight, view in views(images, tta)), torch.tensor(0.0)))
    logits = torch.cat(parts).cpu()
    if world.size == 1:
        return logits
    gathered: list[Tensor | None] = [None] * world.size
    dist.all_gather_object(gathered, logits)
    return torch.cat([part for part in gathered if part is not None])
