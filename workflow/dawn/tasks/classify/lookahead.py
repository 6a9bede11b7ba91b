"""Lookahead: the weights are pulled towards a slow average of them."""

from collections.abc import Sequence

import torch
from torch import Tensor

from dawn.tasks.classify.settings import Lookahead as Settings


class Lookahead:
    """Lookahead (arXiv 1907.08610) as airbench94 runs it: statistics of batch norm included, slower towards the end."""

    def __init__(self, tensors: Sequence[Tensor], settings: Settings) -> None:
        self.tensors, self.settings = list(tensors), settings
        self.means = [t.detach().clone() for t in self.tensors]

    @torch.no_grad()
    def update(self, step: int, steps: int) -> bool:
        """After ``step`` of ``steps`` (1 .. steps): slow = a slow + (1 - a) fast, fast = slow. Return whether due.

        After the last step the slow weights are the result, whether or not an update came right before.
        """
        fraction = slow_fraction(step, steps, self.settings)
        if fraction is not None:
            torch._foreach_lerp_(self.means, self.tensors, 1 - fraction)
        if fraction is None and step < steps:
            return False
        torch._foreach_copy_(self.tensors, self.means)
        return True


def slow_fraction(step: int, steps: int, settings: Settings) -> float | None:
    """Return a = decay^every (step / steps)^power, or None where ``step`` is no multiple of ``every``."""
    if step % settings.every:
        return None
    return float(settings.decay**settings.every * (step / steps) ** settings.power)
