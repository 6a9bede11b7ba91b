"""Losses against their formulas, and the clamp."""

import numpy as np
import pytest
import torch
from gan_networks import networks

from dawn.tasks.gan.losses import clamp, classifier_loss, critic_loss, generator_loss, needs_real_scores

REAL, FAKE = np.array([0.3, -2.0, 1.7, 40.0]), np.array([-0.4, 3.0, 0.9, -50.0])


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def log_sigmoid(x):
    return -np.logaddexp(0, -x)


FORMULAS = {
    "wasserstein": (np.mean(FAKE) - np.mean(REAL), -np.mean(FAKE)),
    "dcgan": (-np.mean(log_sigmoid(REAL)) - np.mean(log_sigmoid(-FAKE)), -np.mean(log_sigmoid(FAKE))),
    "hinge": (np.mean(np.maximum(0, 1 - REAL)) + np.mean(np.maximum(0, 1 + FAKE)), -np.mean(FAKE)),
    "relativistic": (-np.mean(log_sigmoid(REAL - FAKE)), -np.mean(log_sigmoid(FAKE - REAL))),
}
SLOPES = {  # of the critic's loss by real and generated scores, of the generator's by generated scores; times n
    "wasserstein": (-np.ones(4), np.ones(4), -np.ones(4)),
    "dcgan": (-sigmoid(-REAL), sigmoid(FAKE), -sigmoid(-FAKE)),
    "hinge": (-(REAL < 1).astype(float), (FAKE > -1).astype(float), -np.ones(4)),
    "relativistic": (-sigmoid(FAKE - REAL), sigmoid(FAKE - REAL), -sigmoid(REAL - FAKE)),
}


@pytest.mark.parametrize("kind", FORMULAS)
def test_losses_and_their_gradients(kind):
    real, fake = (torch.from_numpy(scores).requires_grad_() for scores in (REAL, FAKE))
    of_critic, of_generator = critic_loss(kind, real, fake), generator_loss(kind, fake, real)
    assert of_critic.shape == of_generator.shape == ()
    assert (of_critic.item(), of_generator.item()) == pytest.approx(FORMULAS[kind], rel=1e-12)
    found = [*torch.autograd.grad(of_critic, (real, fake)), *torch.autograd.grad(of_generator, fake)]
    for slopes, expected in zip(found, SLOPES[kind], strict=True):
        np.testing.assert_allclose(slopes.numpy() * 4, expected, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("kind", FORMULAS)
def test_only_the_relativistic_generator_needs_real_scores(kind):
    fake = torch.from_numpy(FAKE)
    if needs_real_scores(kind):
        with pytest.raises(ValueError, match="needs the scores of real images"):
            generator_loss(kind, fake)
    else:
        assert generator_loss(kind, fake).item() == pytest.approx(FORMULAS[kind][1])


def test_the_loss_of_the_classifier():
    logits, labels = np.array([[1.0, 2.0, -1.0], [0.0, 0.5, 3.0]]), np.array([1, 0])
    expected = np.mean(np.log(np.exp(logits).sum(1)) - logits[[0, 1], labels])
    found = classifier_loss(0.3, torch.from_numpy(logits), torch.from_numpy(labels))
    assert found.item() == pytest.approx(0.3 * expected)
    assert classifier_loss(0.0, None, torch.from_numpy(labels)) == 0


@pytest.mark.parametrize("kind", FORMULAS)
def test_a_step_down_the_critics_loss_raises_real_scores_above_generated_ones(kind):
    real, fake = torch.zeros(3, requires_grad=True), torch.zeros(3, requires_grad=True)
    up, down = torch.autograd.grad(critic_loss(kind, real, fake), (real, fake))
    assert bool((up < 0).all() and (down > 0).all())
    assert bool((torch.autograd.grad(generator_loss(kind, fake, real), fake)[0] < 0).all())


def test_the_clamp_limits_every_parameter():
    _, critic = networks("lesson")
    before = [p.detach().clone() for p in critic.parameters()]
    assert max(float(p.abs().max()) for p in before) == 1  # the gain of a batch norm
    clamp(critic, 0.05)
    for old, new in zip(before, critic.parameters(), strict=True):
        np.testing.assert_array_equal(new.detach().numpy(), np.clip(old.numpy(), np.float32(-0.05), np.float32(0.05)))
