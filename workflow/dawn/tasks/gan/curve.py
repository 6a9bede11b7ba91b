"""The curve of a GAN's training."""

from dataclasses import dataclass


@dataclass(frozen=True)
class GanMetrics:
    """The state of a GAN at the end of an epoch; the fields are the columns of curve.tsv, in order.

    epoch            passes of the critic over the train split so far
    generator_steps  of the generator since the start
    critic_loss      mean over the critic's steps of the epoch, penalties included
    generator_loss   mean over the generator's steps of the epoch
    real_score       mean score of the real images of the epoch
    fake_score       mean score of the generated images of the epoch
    lr               learning rate of the critic in the epoch's last step
    images_per_s     real images seen by the critic in a second
    seconds          of training since the start, without what is excluded from the clock
    """

    epoch: float
    generator_steps: int
    critic_loss: float
    generator_loss: float
    real_score: float
    fake_score: float
    lr: float
    images_per_s: float
    seconds: float
