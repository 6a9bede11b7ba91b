"""SGD on filters in channels-last memory against torch's on contiguous ones."""

import copy

import pytest
import torch
from torch import nn

from dawn.tasks.classify.optimizer import make_optimizer
from dawn.tasks.classify.settings import Train


@pytest.mark.parametrize("nesterov", [False, True])
def test_filters_in_channels_last_memory_are_updated_as_contiguous_ones(nesterov):
    train = Train(epochs=1, batch=8, schedule={"kind": "step", "peak": 0.1}, nesterov=nesterov, weight_decay=0.01)
    torch.manual_seed(0)
    plain = nn.Sequential(nn.Conv2d(5, 6, 3), nn.Conv2d(6, 4, 1), nn.Linear(4, 3))
    last = copy.deepcopy(plain).to(memory_format=torch.channels_last)
    momentum = max(train.schedule.momentum)
    moves = [
        torch.optim.SGD(plain.parameters(), train.schedule.peak, momentum, 0, 0.01, nesterov, fused=True),
        make_optimizer(last, list(last.parameters()), train),
    ]
    for _ in range(3):
        for one, other in zip(plain.parameters(), last.parameters(), strict=True):
            one.grad = torch.randn(one.shape)
            other.grad = torch.empty_like(other).copy_(one.grad)
        for move in moves:
            move.step()
    assert not last[0].weight.is_contiguous()
    for one, other in zip(plain.parameters(), last.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-6, atol=1e-7)
    assert moves[1].state[last[0].weight]["momentum_buffer"].shape == last[0].weight.shape
