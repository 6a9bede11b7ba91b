"""The losses of critics and generators, as functions of scores (b,) in fp32; each is a mean over the batch.

With D(x) the score of a real image, D(G(z)) that of a generated one, softplus(t) = log(1 + exp(t)):

    wasserstein   critic D(G(z)) - D(x)                               generator -D(G(z))
    dcgan         critic softplus(-D(x)) + softplus(D(G(z)))          generator softplus(-D(G(z)))
    hinge         critic max(0, 1 - D(x)) + max(0, 1 + D(G(z)))       generator -D(G(z))
    relativistic  critic softplus(-(D(x) - D(G(z))))                  generator softplus(D(x) - D(G(z)))

Sources: arXiv 1701.07875 (the lesson's notebook has the score's sign reversed: low for real images); arXiv 1511.06434,
cross-entropy with the generator's loss that does not saturate; arXiv 1705.02894; arXiv 1807.00734 and 2501.05441, where
image i of one batch is compared with image i of the other.
"""

import math

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, relu, softplus

from dawn.tasks.gan.settings import Loss


def needs_real_scores(kind: Loss) -> bool:
    """Return whether the generator's loss depends on the scores of real images."""
    return kind == "relativistic"


def of_constant_score(kind: Loss) -> float | None:
    """Return the critic's loss where it gives every image the score 0; None for a difference of scores, which is 0."""
    return {"dcgan": 2 * math.log(2), "hinge": 2.0, "relativistic": math.log(2)}.get(kind)


def critic_loss(kind: Loss, real_scores: Tensor, fake_scores: Tensor) -> Tensor:
    """Return the loss that the critic minimises, a scalar; scores (b,) of real and generated images."""
    if kind == "wasserstein":
        return fake_scores.mean() - real_scores.mean()
    if kind == "dcgan":
        return softplus(-real_scores).mean() + softplus(fake_scores).mean()
    if kind == "hinge":
        return relu(1 - real_scores).mean() + relu(1 + fake_scores).mean()
    return softplus(fake_scores - real_scores).mean()


def generator_loss(kind: Loss, fake_scores: Tensor, real_scores: Tensor | None = None) -> Tensor:
    """Return the loss that the generator minimises, a scalar; ``real_scores`` are needed by relativistic alone."""
    if kind == "dcgan":
        return softplus(-fake_scores).mean()
    if kind == "relativistic":
        if real_scores is None:
            raise ValueError("the relativistic loss of a generator needs the scores of real images")
        return softplus(real_scores - fake_scores).mean()
    return -fake_scores.mean()


def classifier_loss(weight: float, logits: Tensor | None, labels: Tensor) -> Tensor:
    """Return ``weight`` times the cross-entropy of the critic's classifier, a scalar; 0 without one.

    The critic adds that of real images, the generator that of its own (arXiv 1610.09585).
    """
    if logits is None:
        return torch.zeros((), device=labels.device)
    return weight * cross_entropy(logits, labels)


@torch.no_grad()
def clamp(critic: torch.nn.Module, limit: float) -> None:
    """Limit all parameters of the critic, those of its batch norms too, to -limit .. limit (arXiv 1701.07875)."""
    for parameter in critic.parameters():
        parameter.clamp_(-limit, limit)
