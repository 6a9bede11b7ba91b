"""The losses of a CycleGAN (arXiv 1703.10593): least squares for the critics, mean absolute errors for the cycles."""

from torch import Tensor


def adversarial(fake: Tensor) -> Tensor:
    """Return mean (score - 1)^2 over the scores (b, 1, h, w) of translations: the generator's loss."""
    return (fake - 1).square().mean()


def critic_loss(real: Tensor, fake: Tensor) -> Tensor:
    """Return half the sum of mean (score - 1)^2 over real images and mean score^2 over translations."""
    return ((real - 1).square().mean() + fake.square().mean()) / 2


def absolute(images: Tensor, targets: Tensor) -> Tensor:
    """Return the mean absolute error of images (b, 3, h, w)."""
    return (images - targets).abs().mean()
