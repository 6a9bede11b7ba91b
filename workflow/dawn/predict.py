"""What a network says of a whole split: its logits, averaged over views of each image."""

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn import functional

from dawn.batches import Split
from dawn.distributed import World


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
