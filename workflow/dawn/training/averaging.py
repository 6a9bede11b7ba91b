"""Averages of the weights that come out better than the weights: exponential, and looking back (Lookahead)."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dawn.config.parts import Lookahead


class Average:
    """Exponential moving average of tensors, fp32, starting from their present values."""

    def __init__(self, tensors: Sequence[Tensor], decay: float) -> None:
        self.tensors, self.decay = list(tensors), decay
        self.means = [t.detach().clone() for t in self.tensors]

    def update(self) -> None:
        """mean = decay mean + (1 - decay) value, for all tensors at once."""
        torch._foreach_lerp_(self.means, [t.detach() for t in self.tensors], 1 - self.decay)

    def swap(self) -> None:
        """Exchange the averages and the present values; twice is nothing."""
        with torch.no_grad():
            kept = [t.detach().clone() for t in self.tensors]
            torch._foreach_copy_(self.tensors, self.means)
            torch._foreach_copy_(self.means, kept)


def keeping(step: int, steps: int, settings: Lookahead) -> float | None:
    """How much of the slow weights stays after ``step`` of ``steps`` (1 .. steps), or None between two looks.

    decay^every (step / steps)^power, and 1 after the last step, when the slow weights are the result.
    """
    if step == steps:
        return 1.0
    if step % settings.every:
        return None
    return float(settings.decay**settings.every * (step / steps) ** settings.power)


class Slow:
    """The slow weights of Lookahead (arXiv 1907.08610), as airbench94 runs it, statistics of batch norm included."""

    def __init__(self, tensors: Sequence[Tensor], settings: Lookahead) -> None:
        self.tensors, self.settings = list(tensors), settings
        self.means = [t.detach().clone() for t in self.tensors]

    @torch.no_grad()
    def look(self, step: int, steps: int) -> bool:
        """After ``step``: slow = a slow + (1 - a) fast, and fast = slow. Returns whether it was time to."""
        keep = keeping(step, steps, self.settings)
        if keep is None:
            return False
        torch._foreach_lerp_(self.means, self.tensors, 1 - keep)
        torch._foreach_copy_(self.tensors, self.means)
        return True
