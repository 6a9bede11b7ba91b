"""Muon: filters move by an orthogonal matrix, everything else by SGD (K. Jordan, kellerjordan.github.io/posts/muon)."""

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor


def orthogonal(matrices: Tensor, steps: int, coefficients: Sequence[float]) -> Tensor:
    """(k, m, n) matrices with their singular values driven near 1 by Newton-Schulz steps, in their own number type.

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


def updates(gradients: list[Tensor], steps: int, coefficients: Sequence[float], kind: torch.dtype) -> list[Tensor]:
    """Each filter's (c_out, c_in, k, k) gradient made orthogonal as a matrix (c_out, c_in k k), equal shapes at once.

    The steps are taken in the number type ``kind``; bf16, whose range is fp32's, does as well as fp32.
    """
    alike: dict[tuple[int, int], list[int]] = defaultdict(list)
    for i, gradient in enumerate(gradients):
        alike[gradient.shape[0], gradient[0].numel()].append(i)
    results = list(gradients)
    for shape, members in alike.items():
        stack = torch.stack([gradients[i].reshape(shape) for i in members])
        moved = orthogonal(stack.to(kind), steps, coefficients).to(stack.dtype)
        for i, matrix in zip(members, moved, strict=True):
            results[i] = matrix.view(gradients[i].shape)
    return results


class Muon(torch.optim.SGD):
    """SGD whose groups with ``muon`` (momentum, steps, coefficients) set take orthogonal steps, of type ``kind``.

    A filter w of such a group is first scaled to norm sqrt(c_out); then v = m v + g, and w = w - rate O(g + m v).
    """

    def __init__(self, groups: list[dict[str, Any]], kind: torch.dtype, **settings: Any) -> None:
        super().__init__(groups, **settings)
        self.kind = kind
        self._step_supports_amp_scaling = False  # a scaled gradient would mix with velocities of another scale

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """One update of all groups."""
        for group in self.param_groups:
            if group.get("muon"):
                self.turn([p for p in group["params"] if p.grad is not None], *group["muon"])
        return super().step(closure)

    def turn(self, weights: list[Tensor], momentum: float, steps: int, coefficients: Sequence[float]) -> None:
        """Scale the filters, and put the orthogonal steps in the place of their gradients."""
        gradients = [w.grad for w in weights if w.grad is not None]
        for weight in weights:
            if "velocity" not in self.state[weight]:
                self.state[weight]["velocity"] = torch.zeros_like(weight)
        velocities = [self.state[w]["velocity"] for w in weights]
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, gradients)
        torch._foreach_add_(gradients, velocities, alpha=momentum)
        norms = torch._foreach_norm(weights)
        torch._foreach_mul_(weights, [len(w) ** 0.5 / n for w, n in zip(weights, norms, strict=True)])
        torch._foreach_copy_(gradients, updates(gradients, steps, coefficients, self.kind))
