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


def slow_fraction(step: int, steps: int, settings: Lookahead) -> float | None:
    """The fraction of the slow weights that stays after ``step`` of ``steps`` (1 .. steps), None between two updates.

    decay^every (step / steps)^power.
    """
    if step % settings.every:
        return None
    return float(settings.decay**settings.every * (step / steps) ** settings.power)


class Slow:
    """The slow weights of Lookahead (arXiv 1907.08610), as airbench94 runs it, statistics of batch norm included."""

    def __init__(self, tensors: Sequence[Tensor], settings: Lookahead) -> None:
        self.tensors, self.settings = list(tensors), settings
        self.means = [t.detach().clone() for t in self.tensors]

    @torch.no_grad()
    def update(self, step: int, steps: int) -> bool:
        """After ``step``: slow = a slow + (1 - a) fast, and fast = slow. Return whether an update was due.

        After the last step the slow weights are the result, whether or not an update came right before.
        """
        fraction = slow_fraction(step, steps, self.settings)
        if fraction is not None:
            torch._foreach_lerp_(self.means, self.tensors, 1 - fraction)
        if fraction is None and step < steps:
            return False
        torch._foreach_copy_(self.tensors, self.means)
        return True
