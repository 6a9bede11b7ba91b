"""What a network says about a split: its logits, averaged over views of each image, shared by the processes."""

import copy
import math
from collections.abc import Callable

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from dawn.config.experiment import Experiment
from dawn.data.augment import normalise
from dawn.data.dataset import Split
from dawn.runtime.distributed import World
from dawn.runtime.precision import Precision


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
def predict(
    forward: Callable[[Tensor], Tensor], split: Split, tta: str, batch: int, world: World, share: float = 1.0
) -> Tensor:
    """Logits float32 (n, classes) of the whole split, on the CPU, in every process.

    With a ``share`` below 1 all images get a plain look, and so many of them, those whose most likely class is the
    least likely, the views of ``tta`` in its place. Who they are does not depend on the number of processes.
    """
    everyone = torch.arange(len(split), device=split.labels.device)
    if tta == "none" or share == 1:
        return look(forward, split, everyone, tta, batch, world)
    logits = look(forward, split, everyone, "none", batch, world)
    confidence = logits.softmax(1).amax(1)
    unsure = confidence.argsort(stable=True)[: math.ceil(share * len(split))]
    if len(unsure):
        logits[unsure] = look(forward, split, unsure.to(everyone.device), tta, batch, world)
    return logits


def final(net: nn.Module, split: Split, experiment: Experiment, world: World) -> Tensor:
    """The logits that an experiment's networks are judged by: its views, precision and size. Puts ``net`` in both."""
    settings, sizes = experiment.evaluate, experiment.train.sizes
    net = net.to(memory_format=torch.channels_last).eval()
    precision = Precision(settings.precision, 1.0, net, world.device)
    seen = split.at(sizes[-1][1]) if sizes else split
    return predict(
        lambda images: precision.logits(net, images), seen, settings.tta, settings.batch, world, settings.tta_fraction
    )


def rehearse(net: nn.Module, split: Split, experiment: Experiment, world: World) -> None:
    """The same on a copy of the network over noise, so that a GPU has loaded its kernels and chosen among them."""
    noise = Split(torch.randint_like(split.images, 256), split.labels, split.mean, split.std)
    final(copy.deepcopy(net), noise, experiment, world)


def look(
    forward: Callable[[Tensor], Tensor], split: Split, which: Tensor, tta: str, batch: int, world: World
) -> Tensor:
    """Logits float32 (k, classes) of the images ``which`` (k,), by the views of ``tta``, in every process."""
    bounds = [len(which) * rank // world.size for rank in (world.rank, world.rank + 1)]
    parts = []
    for part in torch.split(which[bounds[0] : bounds[1]], batch):
        images = normalise(split.images[part], split.mean, split.std)
        parts.append(sum((weight * forward(view) for weight, view in views(images, tta)), torch.tensor(0.0)))
    mine = torch.cat(parts).cpu()
    if world.size == 1:
        return mine
    everyone: list[Tensor | None] = [None] * world.size
    dist.all_gather_object(everyone, mine)
    return torch.cat([part for part in everyone if part is not None])
