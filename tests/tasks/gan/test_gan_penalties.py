"""Gradient penalties against closed forms and finite differences."""

import copy

import pytest
import torch
from gan_networks import inputs, networks
from torch import nn

from dawn.tasks.gan.diff_augment import augment
from dawn.tasks.gan.penalties import due, penalty, wanted
from dawn.tasks.gan.settings import Penalty

ALL = Penalty(gradient=10, r1=2, r2=3)
EACH = [Penalty(gradient=10), Penalty(r1=2), Penalty(r2=3), ALL]


def images(count=6, size=4, seed=0):
    return torch.randn(count, 3, size, size, generator=torch.Generator().manual_seed(seed))


MIX, LABELS = torch.linspace(0, 0.99, 6), torch.arange(6) % 3


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_a_linear_critic(settings):
    """Its gradient is its weight w everywhere."""
    w = torch.randn(48, generator=torch.Generator().manual_seed(3)).requires_grad_()
    found = penalty(lambda x, _: x.flatten(1) @ w, images(), images(seed=1), LABELS, settings, MIX)
    norm = w.detach().norm()
    assert found.shape == ()
    expected = settings.gradient * (norm - 1) ** 2 + (settings.r1 + settings.r2) / 2 * norm**2
    torch.testing.assert_close(found.detach(), expected)
    found.backward()
    slope = settings.gradient * 2 * (norm - 1) * w / norm + (settings.r1 + settings.r2) * w
    torch.testing.assert_close(w.grad, slope.detach())


@pytest.mark.parametrize("settings", EACH, ids=str)
def test_a_quadratic_critic(settings):
    """With D(x) = a |x|^2 / 2 the gradient is a x: it tells which images were penalised."""
    a, real, fake = torch.tensor(0.7, requires_grad=True), images(), images(seed=1)
    found = penalty(lambda x, _: a * x.flatten(1).square().sum(1) / 2, real, fake, LABELS, settings, MIX)
    norms = [(0.7 * x.flatten(1)).norm(dim=1) for x in (real, fake)]
    between = (1 - MIX).view(-1, 1, 1, 1) * real + MIX.view(-1, 1, 1, 1) * fake
    steep = (0.7 * between.flatten(1)).norm(dim=1)
    expected = settings.gradient * ((steep - 1) ** 2).mean()
    expected = expected + settings.r1 / 2 * (norms[0] ** 2).mean() + settings.r2 / 2 * (norms[1] ** 2).mean()
    torch.testing.assert_close(found.detach(), expected)


def test_a_conditional_critic_is_differentiated_at_the_label_of_the_image():
    w = torch.randn(3, 48, generator=torch.Generator().manual_seed(3))
    labels = torch.tensor([0, 0, 0, 0, 2, 2])
    found = penalty(lambda x, y: (x.flatten(1) * w[y]).sum(1), images(), images(seed=1), labels, Penalty(r1=2), MIX)
    torch.testing.assert_close(found, (4 * w[0].square().sum() + 2 * w[2].square().sum()) / 6)


def test_a_lazy_penalty_is_multiplied_by_its_interval():
    settings = [Penalty(gradient=1, r1=2, every=every) for every in (1, 4)]
    often, rarely = (penalty(lambda x, _: x.sum((1, 2, 3)), images(), images(), LABELS, s, MIX) for s in settings)
    torch.testing.assert_close(rarely, 4 * often)
    assert [due(settings[1], step) for step in range(9)] == [step in (0, 4, 8) for step in range(9)]
    assert not wanted(Penalty(every=2))
    assert not due(Penalty(every=2), 0)
    assert all(map(wanted, EACH))


def test_a_critic_without_any_slope_has_a_finite_gradient():
    layer = nn.Linear(48, 1)
    nn.init.zeros_(layer.weight)
    found = penalty(lambda x, _: layer(x.flatten(1))[:, 0], images(), images(seed=1), LABELS, ALL, MIX)
    assert found.item() == 10
    found.backward()
    assert bool(layer.weight.grad.isfinite().all())


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16], ids=str)
def test_penalties_are_in_fp32_whatever_the_precision(kind):
    _, critic = networks("sn_cnn", conditional=True)
    _, real, labels = inputs()
    fake, mix = real.flip(0), torch.linspace(0, 0.9, 8)
    exact = penalty(critic, real, fake, labels, ALL, mix)
    with torch.autocast("cpu", kind):
        assert torch.equal(penalty(critic, real, fake, labels, ALL, mix), exact)
        halves = penalty(critic, real.to(kind), fake.to(kind), labels, ALL, mix)
    assert halves.dtype == torch.float32


CRITICS = {
    "lesson": {},
    "dcgan": {"architecture": "dcgan"},
    "lesson without norm": {"critic": {"norm": "none"}},
    "sn_cnn": {"architecture": "sn_cnn"},
    "conditional, spectral norm": {"architecture": "sn_cnn", "conditional": True, "critic": {"spectral_norm": True}},
}


@pytest.mark.parametrize("name", CRITICS)
def test_the_gradient_by_the_weights_is_the_finite_difference(name):
    """Of the penalty along a random direction of all weights, in fp64: every layer has a second derivative.

    The penalty jumps where an input of a leaky ReLU is 0; with few images and a small step no such place is crossed.
    """
    critic = networks(seed=1, **CRITICS[name])[1].double()
    if "spectral" in name:
        critic.eval()  # else each pass moves the vectors of the power iteration
    _, real, labels = inputs(3, dtype=torch.float64)
    fake, mix = real.flip(0) * 0.9, torch.tensor([0.1, 0.5, 0.9])
    rng = torch.Generator().manual_seed(0)
    weights = list(critic.parameters())
    ways = [torch.randn(p.shape, generator=rng, dtype=torch.float64) for p in weights]

    def value(step):
        moved = copy.deepcopy(critic)
        with torch.no_grad():
            for p, way in zip(moved.parameters(), ways, strict=True):
                p.add_(way, alpha=step)
        return penalty(moved, real, fake, labels, ALL, mix).item()

    grads = torch.autograd.grad(penalty(critic, real, fake, labels, ALL, mix), weights, allow_unused=True)
    slope = sum((g * way).sum().item() for g, way in zip(grads, ways, strict=True) if g is not None)
    assert slope == pytest.approx((value(1e-7) - value(-1e-7)) / 2e-7, rel=1e-4)
    assert abs(slope) > 1e-3


def test_an_augmentation_may_be_part_of_the_critic():
    """Cut-out pixels have no slope: a quarter of them where the hole is inside."""
    inside = torch.full((6, 2), 0.5)
    found = penalty(
        lambda x, _: augment(x, ["cutout"], inside).sum((1, 2, 3)), images(), images(), LABELS, Penalty(r1=2), MIX
    )
    assert found.item() == 48 * 3 / 4
