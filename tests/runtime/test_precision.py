"""Steps in fp16: a gradient that overflows is skipped, and what comes after is as if it had never been."""

import pytest
import torch
from conftest import experiment
from torch import nn
from training import CPU

from dawn.runtime.precision import Precision
from dawn.tasks.classify.optimizer import make_optimizer, set_learning_rates
from dawn.tasks.classify.schedule import Scheduled


def step(precision, optimizer, gradients, clip):
    """A step with these gradients."""
    set_learning_rates(optimizer, Scheduled(1.0, 0.9, 1.0))
    precision.scaler.scale(torch.ones(()))  # sets the scale up
    for p, gradient in zip(precision.parameters, gradients, strict=True):
        p.grad = gradient * precision.scaler.get_scale()
    precision.update(optimizer, clip)


@pytest.mark.parametrize("clip", [None, 1.0], ids=["", "clipped"])
@pytest.mark.parametrize("over", [{}, {"optimizer": "muon"}], ids=["sgd", "muon"])
def test_a_first_step_that_overflows_leaves_no_trace(over, clip):
    train = experiment(train={"schedule": {"peak": 0.1, "momentum": [0.9, 0.9]}, "precision": "fp16", **over}).train
    ends = []
    for overflows in (False, True):
        stale = [torch.full((1000,), float("nan")) for _ in range(50)]  # what memory that is not initialised may hold
        del stale
        torch.manual_seed(0)
        net = nn.Sequential(nn.Conv2d(3, 8, 3), nn.Flatten(), nn.Linear(8, 1000))
        precision = Precision("fp16", 1.0, net, CPU)
        optimizer = make_optimizer(net, precision.weights, train)
        gradients = [torch.randn_like(p) for p in precision.parameters]
        if overflows:
            before = [p.detach().clone() for p in precision.parameters]
            step(precision, optimizer, [torch.full_like(g, float("inf")) for g in gradients], clip)
            assert all(torch.equal(p, old) for p, old in zip(precision.parameters, before, strict=True))
        for _ in range(2):
            step(precision, optimizer, gradients, clip)
        ends.append([p.detach().clone() for p in precision.parameters])
    for once, other in zip(*ends, strict=True):
        torch.testing.assert_close(other, once, rtol=1e-5, atol=1e-6)
