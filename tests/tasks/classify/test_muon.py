"""Muon against singular values, against one matrix at a time, and against its definition over steps."""

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from dawn.tasks.classify.muon import Muon, orthogonal, updates
from dawn.tasks.classify.optimizer import make_optimizer, set_learning_rates
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.settings import Muon as Settings
from dawn.tasks.classify.settings import Train

PUBLISHED = (3.4445, -4.7750, 2.0315)


def polynomial(singular, steps, coefficients=PUBLISHED):
    """What the steps do to one singular value of a matrix of norm 1, from the definition."""
    a, b, c = coefficients
    for _ in range(steps):
        singular = a * singular + b * singular**3 + c * singular**5
    return singular


def test_the_default_coefficients_are_the_published_ones():
    assert Settings().coefficients == PUBLISHED


@pytest.mark.parametrize("coefficients", [PUBLISHED, (3.4576, -4.7391, 2.0843)])
@pytest.mark.parametrize("shape", [(3, 8, 20), (3, 20, 8), (1, 5, 5)])
def test_the_steps_turn_each_singular_value_and_no_direction(shape, coefficients):
    matrices = torch.randn(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    u, s, v = torch.linalg.svd(matrices, full_matrices=False)
    norm = matrices.flatten(1).norm(dim=1)[:, None]
    expected = u @ torch.diag_embed(polynomial(s / (norm + 1e-7), 3, coefficients)) @ v
    torch.testing.assert_close(orthogonal(matrices, 3, coefficients), expected, atol=1e-9, rtol=1e-9)


@pytest.mark.parametrize("kind", [torch.float32, torch.bfloat16])
def test_five_steps_bring_the_singular_values_near_1(kind):
    matrices = torch.randn((2, 64, 216), generator=torch.Generator().manual_seed(1)).to(kind)
    values = torch.linalg.svdvals(orthogonal(matrices, 5, PUBLISHED).float())
    assert 0.6 < values.min() < values.max() < 1.3


def test_equal_shapes_are_batched_and_nothing_is_mixed_up():
    shapes = [(4, 3, 3, 3), (4, 27, 1, 1), (8, 4, 3, 3), (4, 3, 3, 3), (8, 4, 1, 1)]
    gradients = [torch.randn(shape) for shape in shapes]
    for ours, g in zip(updates(gradients, 3, PUBLISHED, torch.float32), gradients, strict=True):
        alone = orthogonal(g.reshape(1, len(g), -1), 3, PUBLISHED).view(g.shape)
        torch.testing.assert_close(ours, alone)


def network():
    torch.manual_seed(2)
    return nn.Sequential(nn.Conv2d(3, 6, 3, bias=False), nn.BatchNorm2d(6), nn.Flatten(), nn.Linear(6 * 36, 4))


def test_a_step_is_its_definition():
    other = (3.4576, -4.7391, 2.0843)
    train = Train(
        epochs=1, batch=8, optimizer="muon", nesterov=True, weight_decay=0.01, bias_lr_multiplier=0.5, decay="all",
        schedule={"kind": "linear", "peak": 0.1, "momentum": [0.85, 0.85]},
        muon={"lr": 0.05, "momentum": 0.6, "coefficients": other},
    )  # fmt: skip
    net, x, y = network(), torch.randn(8, 3, 8, 8), torch.arange(8) % 4
    moves = make_optimizer(net, list(net.parameters()), train)
    assert isinstance(moves, Muon)
    weights = {name: p.detach().clone() for name, p in net.named_parameters()}
    velocities = {name: torch.zeros_like(w) for name, w in weights.items()}
    for rate in (0.1, 0.04):
        net.zero_grad()
        F.cross_entropy(net(x), y).backward()
        set_learning_rates(moves, Scheduled(rate / 0.1, 0.85, rate / 0.1))
        moves_gradients = {name: p.grad.clone() for name, p in net.named_parameters()}
        moves.step()
        for name, g in moves_gradients.items():
            w, v = weights[name], velocities[name]
            if g.ndim == 4:
                w *= 6**0.5 / w.norm()
                v.mul_(0.6).add_(g)
                u, s, vh = torch.linalg.svd((g + 0.6 * v).reshape(6, 27), full_matrices=False)
                turned = u @ torch.diag(polynomial(s / s.norm(), 3, other)) @ vh
                w -= rate / 0.1 * 0.05 * turned.view(w.shape)
            else:
                multiplier = 0.5 if g.ndim == 1 else 1.0
                g = g + 0.01 / multiplier * w
                v.mul_(0.85).add_(g)
                w -= rate * multiplier * (g + 0.85 * v)
    for name, p in net.named_parameters():
        torch.testing.assert_close(p.detach(), weights[name], atol=2e-5, rtol=1e-4)


def test_groups_have_their_rates_and_the_stem_its_own_time():
    from dawn.runtime.precision import trainable
    from dawn.tasks.classify.networks.airbench.settings import Airbench
    from dawn.tasks.classify.networks.build import build

    net = build(Airbench(family="airbench", widths=(4, 8)), 10, 0)
    train = Train(
        epochs=4, batch=8, optimizer="muon", bias_lr_multiplier=64, stem_lr_multiplier=3, stem_epochs=2,
        weight_decay=0.64,
        schedule={"peak": 0.1, "momentum": [0.9, 0.9]}, muon={"lr": 0.2},
    )  # fmt: skip
    moves = make_optimizer(net, trainable(net), train)
    found = {len(group["params"]): group for group in moves.param_groups}
    assert sorted(found) == [1, 4]  # head; stem's bias; four batch norms' biases; four filters
    set_learning_rates(moves, Scheduled(lr=0.5, momentum=0.9, stem_lr=0.5))
    rates = [group["lr"] for group in moves.param_groups]
    assert rates == pytest.approx([0.05, 64 * 0.05, 3 * 0.1 * 0.5, 0.2 * 0.5])
    assert [group["weight_decay"] for group in moves.param_groups] == pytest.approx([0.64, 0.01, 0.64 / 3, 0])
