"""Penalties on the gradient of the critic's score by the image, as ``gan.penalty`` weights them.

With g(x) the gradient of D(x), and |g| its Euclidean norm over an image's channels and pixels:

    gradient  mean of (|g(x~)| - 1)^2, x~ = real + mix (fake - real) with mix uniform in [0, 1)  arXiv 1704.00028
    r1        mean of |g(x)|^2 / 2 at real images                                                arXiv 1801.04406
    r2        the same at generated images                                                       arXiv 1801.04406

All is computed in fp32 whatever the precision of the training: the square of a gradient underflows in fp16.
"""

from collections.abc import Callable

import torch
from torch import Tensor

from dawn.tasks.gan.layers import at_least_fp32
from dawn.tasks.gan.settings import Penalty

Score = Callable[[Tensor, Tensor], Tensor]


def wanted(settings: Penalty) -> bool:
    """Return whether any penalty has a weight."""
    return bool(settings.gradient or settings.r1 or settings.r2)


def due(settings: Penalty, step: int) -> bool:
    """Return whether the critic's step of this number, from 0, has a penalty: every ``settings.every``-th."""
    return wanted(settings) and step % settings.every == 0


def penalty(critic: Score, real: Tensor, fake: Tensor, labels: Tensor, settings: Penalty, mix: Tensor) -> Tensor:
    """Return the weighted sum of the penalties, times ``settings.every``: a scalar whose gradient reaches the weights.

    critic: images and labels to scores (b,); an augmentation may be part of it. real, fake: images (b, 3, h, w), whose
    classes are ``labels`` (b,), image i of both of the same class. mix: uniform draws (b,), for ``gradient`` alone.
    """
    with torch.autocast(real.device.type, enabled=False):
        real, fake = at_least_fp32(real.detach()), at_least_fp32(fake.detach())
        total = real.new_zeros(())
        if settings.gradient:
            between = torch.lerp(real, fake, mix.to(real.dtype).view(-1, 1, 1, 1))
            norms = torch.linalg.vector_norm(gradient(critic, between, labels).flatten(1), dim=1)
            total = total + settings.gradient * (norms - 1).square().mean()
        if settings.r1:
            total = total + settings.r1 / 2 * squared_norm(gradient(critic, real, labels))
        if settings.r2:
            total = total + settings.r2 / 2 * squared_norm(gradient(critic, fake, labels))
        return total * settings.every


def gradient(critic: Score, images: Tensor, labels: Tensor) -> Tensor:
    """Return the gradient (b, 3, h, w) of each image's score by the image, itself differentiable by the weights."""
    images = images.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(critic(images, labels).sum(), images, create_graph=True)
    return gradient


def squared_norm(gradients: Tensor) -> Tensor:
    """Return the mean over the batch of the squared norms of gradients (b, 3, h, w)."""
    return gradients.square().flatten(1).sum(1).mean()
