"""An exponential moving average of the weights, which is evaluated in their place."""

from collections.abc import Sequence

import torch
from torch import Tensor


class EMA:
    """Exponential moving average of tensors, starting from their present values, in their dtype."""

    def __init__(self, tensors: Sequence[Tensor], decay: float) -> None:
        self.tensors, self.decay = list(tensors), decay
        self.means = [t.detach().clone() for t in self.tensors]

    def update(self) -> None:
        """mean = decay mean + (1 - decay) value, for all tensors at once."""
        torch._foreach_lerp_(self.means, [t.detach() for t in self.tensors], 1 - self.decay)

    @torch.no_grad()
    def swap(self) -> None:
        """Exchange the means and the present values; a second call restores both."""
        values = [t.detach().clone() for t in self.tensors]
        torch._foreach_copy_(self.tensors, self.means)
        torch._foreach_copy_(self.means, values)
