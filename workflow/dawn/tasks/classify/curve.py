"""The learning curve of a classifier."""

from dataclasses import dataclass


@dataclass(frozen=True)
class EpochMetrics:
    """The state of a training at the end of an epoch; the fields are the columns of curve.tsv, in order.

    epoch           epochs trained so far; the last is no whole number where train.epochs is none
    train_loss      mean over the epoch's batches, augmented and while the weights move; label smoothing included
    train_accuracy  of the same, in percent
    loss            cross-entropy on the monitored split, None in an epoch that is not monitored
    accuracy        on the monitored split, in percent, None likewise
    lr, momentum    of the epoch's last step
    images_per_s    trained in the epoch
    seconds         of training since the start, without what is excluded from the clock
    """

    epoch: float
    train_loss: float
    train_accuracy: float
    loss: float | None
    accuracy: float | None
    lr: float
    momentum: float
    images_per_s: float
    seconds: float
