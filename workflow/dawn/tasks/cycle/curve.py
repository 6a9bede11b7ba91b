"""The curve of a CycleGAN's training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class CycleMetrics:
    """The state of a CycleGAN at the end of an epoch; the fields are the columns of curve.tsv, in order.

    epoch             passes over the larger domain so far
    adversarial_loss  of the generators, a mean over the epoch; all losses are sums over both directions
    cycle_loss        mean absolute error of images translated and back; of translations in a training on pairs
    identity_loss     mean absolute error of translated images of the target
    critic_loss       of the critics
    psnr              of the first 200 test images' translations in dB, None without a truth or in an epoch between
    lr                learning rate in the epoch's last step
    images_per_s      images of each domain in a second
    seconds           of training since the start, without what is excluded from the clock
    """

    epoch: float
    adversarial_loss: float
    cycle_loss: float
    identity_loss: float
    critic_loss: float
    psnr: float | None
    lr: float
    images_per_s: float
    seconds: float
