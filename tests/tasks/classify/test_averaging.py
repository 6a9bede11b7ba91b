"""Averages of the weights against their formulas."""

import numpy as np
import pytest
import torch

from dawn.tasks.classify.lookahead import Lookahead
from dawn.tasks.classify.settings import Lookahead as Settings


@pytest.mark.parametrize("steps", [22, 20])
def test_lookahead_is_its_formula(steps):
    """With 20 steps the last one is a multiple of 5: its update comes first, then the slow weights are the result."""
    rng = np.random.default_rng(0)
    fast = slow = rng.normal(size=3)
    tensor = torch.from_numpy(fast.copy())
    lookahead = Lookahead([tensor], Settings(every=5, decay=0.95, power=3))
    for step in range(1, steps + 1):
        push = rng.normal(size=3)
        fast = fast + push
        tensor += torch.from_numpy(push)
        updated = lookahead.update(step, steps)
        assert updated == (step % 5 == 0 or step == steps)
        if step % 5 == 0:
            kept = 0.95**5 * (step / steps) ** 3
            slow = kept * slow + (1 - kept) * fast
            fast = slow
        if step == steps:
            fast = slow
        np.testing.assert_allclose(tensor.numpy(), fast, atol=1e-12)
