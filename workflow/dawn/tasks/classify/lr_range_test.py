"""The learning-rate range test (Smith, arXiv 1506.01186): one training in which every step raises the learning rate."""

import math
import statistics
from collections.abc import Iterator, Sequence
from itertools import dropwhile, pairwise
from typing import NamedTuple

import torch

from dawn.data.dataset import MicroBatch
from dawn.engine.trainer import Trainer
from dawn.runtime.distributed import sum_over_processes
from dawn.runtime.streams import torch_seed
from dawn.tasks.classify.classifier import Classifier
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.settings import LrFind


class Point(NamedTuple):
    """One step: its learning rate, the loss of its batch, and the moving average of the losses so far."""

    step: int
    lr: float
    loss: float
    smoothed: float


def learning_rate(step: int, settings: LrFind) -> float:
    """Return the learning rate of a step: from ``low`` to ``high``, each step by the same factor."""
    return float(settings.low * (settings.high / settings.low) ** (step / (settings.steps - 1)))


def sweep(trainer: Trainer[Classifier]) -> list[Point]:
    """Train with rising learning rates until the highest, or until the smoothed loss passes ``stop`` times its minimum.

    The average is exponential and corrected for its start at zero; ``stop`` is fastai's rule.
    """
    experiment, points = trainer.experiment, list[Point]()
    settings, schedule, batch = experiment.lr_find, experiment.train.schedule, experiment.train.batch
    average = 0.0
    for step, parts in zip(range(settings.steps), batches(trainer), strict=False):
        torch.manual_seed(torch_seed(trainer.seed, step, trainer.world.rank))
        lr = learning_rate(step, settings)
        scheduled = Scheduled(lr / schedule.peak, schedule.momentum[0], lr / schedule.peak)
        loss = float(sum_over_processes(trainer.task.state.step(parts, scheduled), trainer.world)[0]) / batch
        if not math.isfinite(loss):
            break
        average = settings.smooth * average + (1 - settings.smooth) * loss
        points.append(Point(step, lr, loss, average / (1 - settings.smooth ** (step + 1))))
        if points[-1].smoothed > settings.stop * min(point.smoothed for point in points):
            break
    return points


def batches(trainer: Trainer[Classifier]) -> Iterator[list[MicroBatch]]:
    """Yield the steps of one epoch after another, without end."""
    epoch = 0
    while True:
        yield from trainer.task.trainset.epoch(epoch, trainer.world, trainer.experiment.train.accumulate)
        epoch += 1


def skipped(settings: LrFind) -> tuple[int, int]:
    """Return how many first and last points to leave out, a tenth and a twentieth of the steps, as fastai's plot does.

    At the start the average holds few losses and its slope is noise; at the end the loss diverges.
    """
    return settings.steps // 10, settings.steps // 20


def suggest(points: Sequence[Point], settings: LrFind) -> dict[str, float | None]:
    """Return two learning rates: where the smoothed loss falls steepest against log(lr), and a tenth of its minimum's.

    Only points count at which the loss has fallen, so that a transient of the first steps is no suggestion; None where
    it never has. At least three points must remain without those of ``skipped``.
    """
    first, last = skipped(settings)
    limit = fallen_below(points, settings)
    kept = list(dropwhile(lambda point: point.smoothed < limit, points[first : len(points) - last]))
    if all(point.smoothed >= limit for point in kept):
        return {"steepest": None, "lowest_tenth": None}
    lowest = min(range(len(kept)), key=lambda i: kept[i].smoothed)
    slopes = {
        i: (kept[i + 1].smoothed - kept[i - 1].smoothed) / math.log(kept[i + 1].lr / kept[i - 1].lr)
        for i in range(1, min(lowest, len(kept) - 1))
        if kept[i].smoothed < limit
    }
    steepest = min(slopes, key=lambda i: slopes[i]) if slopes else lowest
    return {"steepest": kept[steepest].lr, "lowest_tenth": kept[lowest].lr / 10}


def fallen_below(points: Sequence[Point], settings: LrFind) -> float:
    """Return the smoothed loss below which the loss has fallen: by three standard errors from its level at the start.

    The level is that of a quarter of the steps, after those that are skipped. Medians, of the losses and of the
    differences between neighbours, keep a transient out. The variance of the exponential average is (1 - s) / (1 + s)
    of a loss's, that of the median of n losses pi / (2 n).
    """
    first, _ = skipped(settings)
    losses = [point.loss for point in points[first : first + max(3, settings.steps // 4)]]
    differences = [abs(b - a) for a, b in pairwise(losses)]
    deviation = statistics.median(differences) / (0.6745 * math.sqrt(2))
    variance = (1 - settings.smooth) / (1 + settings.smooth) + math.pi / (2 * len(losses))
    return statistics.median(losses) - 3 * deviation * math.sqrt(variance)
