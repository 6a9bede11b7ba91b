"""Muon: filters are updated by an orthogonal matrix, all else by SGD (K. Jordan, kellerjordan.github.io/posts/muon)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from dawn.tasks.classify.optimizer import FILTERS, SGD
from dawn.tasks.classify.settings import Muon as Settings


def orthogonal(matrices: Tensor, steps: int, coefficients: Sequence[float]) -> Tensor:
    """(k, m, n) matrices with their singular values driven near 1 by Newton-Schulz steps, in their own dtype.

    X = aX + (bA + cA^2)X with A = XX', from X / |X|. A is m x m, so the longer side is kept second.
    The published coefficients (a, b, c) converge fast but not to 1: 0.7 to 1.2, which does as well.
    """
    a, b, c = coefficients
    tall = matrices.shape[1] > matrices.shape[2]
    x = matrices.mT if tall else matrices
    x = x / (x.norm(dim=(1, 2), keepdim=True) + 1e-7)
    for _ in range(steps):
        gram = x @ x.mT
        x = torch.baddbmm(x, torch.baddbmm(gram, gram, gram, beta=b, alpha=c), x, beta=a)
    return x.mT if tall else x


def updates(gradients: list[Tensor], steps: int, coefficients: Sequence[float], dtype: torch.dtype) -> list[Tensor]:
    """Each filter's gradient (c_out, c_in, k, k) made orthogonal as a matrix (c_out, c_in k k), equal shapes batched.

    The iterations run in ``dtype``; bf16, whose range is that of fp32, gives the same quality as fp32.
    """
    by_shape: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, gradient in enumerate(gradients):
        by_shape[gradient.shape[0], gradient[0].numel()].append(i)
    results = list(gradients)
    for shape, members in by_shape.items():
        stack = torch.stack([gradients[i].reshape(shape) for i in members])
        matrices = orthogonal(stack.to(dtype), steps, coefficients).to(stack.dtype)
        for i, matrix in zip(members, matrices, strict=True):
            results[i] = matrix.view(gradients[i].shape)
    return results


class Muon(SGD):
    """SGD whose groups named ``filters`` take orthogonal steps, computed in ``dtype``.

    A filter w is first scaled to norm sqrt(c_out); then v = m v + g, and w = w - lr O(g + m v).
    """

    def __init__(self, groups: list[dict[str, Any]], muon: Settings, dtype: torch.dtype, **settings: Any) -> None:
        super().__init__(groups, **settings)
        self.muon, self.dtype = muon, dtype
        self._step_supports_amp_scaling = False  # a scaled gradient would mix with velocities of another scale
        for weight in (w for group in groups if group["name"] == FILTERS for w in group["params"]):
            self.state[weight]["velocity"] = torch.zeros_like(weight)

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update all groups."""
        for group in self.param_groups:
            if group["name"] == FILTERS:
                self.orthogonalise([p for p in group["params"] if p.grad is not None])
        return super().step(closure)

    def orthogonalise(self, weights: list[Tensor]) -> None:
        """Scale the filters, and replace their gradients by orthogonal updates."""
        gradients, momentum = [w.grad for w in weights if w.grad is not None], self.muon.momentum
        velocities = [self.state[w]["velocity"] for w in weights]
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, gradients)
        torch._foreach_add_(gradients, velocities, alpha=momentum)
        norms = torch._foreach_norm(weights)
        torch._foreach_mul_(weights, [len(w) ** 0.5 / n for w, n in zip(weights, norms, strict=True)])
        orthogonal = updates(gradients, self.muon.steps, self.muon.coefficients, self.dtype)
        torch._foreach_copy_(gradients, orthogonal)
