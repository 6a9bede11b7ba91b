"""The filters of a whitening layer: what a patch of the train images is made of, each part at equal strength."""

import torch
from torch import Tensor, nn

from dawn.data.dataset import Split
from dawn.tasks.classify.networks.layers import Stem

IMAGES = 5000  # the first of the train split, as airbench94 takes them


def patches(images: Tensor, kernel: int) -> Tensor:
    """Every kernel x kernel patch of (n, c, h, w), as rows (patches, c * kernel * kernel)."""
    windows = images.unfold(2, kernel, 1).unfold(3, kernel, 1)
    return windows.permute(0, 2, 3, 1, 4, 5).reshape(-1, images.shape[1] * kernel * kernel)


def filters(images: Tensor, kernel: int, eps: float) -> Tensor:
    """Whitening filters (2 c k k, c, k, k), fp32, of normalised images (n, c, h, w).

    With S = X'X / n over all patches X, uncentred, and its eigenvectors v at eigenvalues l, the filters are
    v / sqrt(l + eps), the largest l first, and then their negatives (arXiv 2404.00498, section 3.1). An eigenvector
    has no sign of its own: its largest entry is made positive.
    """
    size = images.shape[1] * kernel * kernel
    total, count = torch.zeros(size, size, dtype=torch.float64, device=images.device), 0
    for first in range(0, len(images), 500):
        x = patches(images[first : first + 500], kernel).double()
        total += x.T @ x
        count += len(x)
    values, vectors = torch.linalg.eigh((total / count).cpu())  # so small that a GPU would only wait
    rows = (vectors / (values + eps).sqrt()).T.flip(0)
    rows = rows * rows.gather(1, rows.abs().argmax(1, keepdim=True)).sign()
    return torch.cat([rows, -rows]).float().reshape(-1, images.shape[1], kernel, kernel).to(images.device)


@torch.no_grad()
def set_whitening(net: nn.Module, split: Split) -> None:
    """Set the filters of a whitening layer from the first train images; they are the same in every process."""
    for module in net.modules():
        if isinstance(module, Stem) and not module.weight.requires_grad:
            images, _ = split.slice(0, min(len(split), IMAGES))
            module.weight.copy_(filters(images, module.kernel_size[0], module.eps))
