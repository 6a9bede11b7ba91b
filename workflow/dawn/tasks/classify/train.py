"""``dawn.train`` for a classifier: a Trainer that can start, and what a finished training leaves."""

from pathlib import Path
from typing import Any, cast

import torch
from torch import nn
from torch.nn.parallel import DistributedDataParallel

from dawn.config.experiment import Experiment
from dawn.config.records import Named
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.data.dataset import Trainset, load
from dawn.data.preprocessing import Preprocessing
from dawn.engine.averaging import EMA
from dawn.engine.checkpoint import Checkpoints
from dawn.engine.trainer import Trainer
from dawn.engine.weights import write_weights
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import World, parallel
from dawn.runtime.precision import Precision
from dawn.tasks.classify.classifier import Classifier
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.lookahead import Lookahead
from dawn.tasks.classify.networks.build import build, check_output
from dawn.tasks.classify.optimizer import make_optimizer
from dawn.tasks.classify.preparation import use_kernels, warm_up
from dawn.tasks.classify.step import TrainState
from dawn.tasks.classify.task import check_divisible


def set_up(
    experiment: Experiment, data: Path, stats: Path | None, seed: int, root: Path | None, world: World, clock: Clock
) -> Trainer[Classifier]:
    """Return a Trainer with the arrays in ``data`` on the device, its network built and compiled.

    Its checkpoints are below ``root``, or nowhere; ``Trainer.resume`` comes next.
    """
    settings = experiment.train
    if stats is None:
        raise InputError("--stats: a classifier needs the channel statistics, such as data/stats.json")
    try:
        check_divisible(settings, world.size)
    except ValueError as error:
        raise InputError(str(error)) from error
    with clock.phase("load"):
        trainset = Trainset(load(data, stats, "train", world.device), settings.augment, seed, settings.batch)
        validation = load(data, stats, experiment.data.monitored, world.device)
        if settings.sizes:
            validation = validation.at(settings.sizes[-1][1])
    with clock.phase("build"):
        classes = len(read_json(data / "dataset.json", Named)["classes"])
        state = build_state(experiment, classes, trainset.whole, seed, world)
    task = Classifier(experiment, world, clock, trainset, validation, state, classes)
    checkpoints = Checkpoints.of(root, experiment, seed, world, data, stats)
    trainer = Trainer(experiment, seed, world, clock, task, checkpoints)
    if settings.compile or settings.cuda_graph:
        with clock.phase("compile"):
            trainer.note = warm_up(state, trainset, world)
    if settings.custom_kernels:
        with clock.phase("compile"):
            trainer.note = use_kernels(state, world) or trainer.note
    return trainer


def build_state(experiment: Experiment, classes: int, size: int, seed: int, world: World) -> TrainState:
    """Return the network on the device with its optimizer and averages; ``size`` is that of the images in pixels."""
    settings, device = experiment.train, world.device
    net = build(experiment.model, classes, seed)
    for pixels in {side for _, side in settings.sizes} or {size}:
        check_output(net, classes, pixels)
    net = net.to(device)
    if settings.channels_last:
        net = net.to(memory_format=torch.channels_last)
    precision = Precision(settings.precision, settings.loss_scale, net, device)
    forward = parallel(net, world, settings.batch_norm, settings.compress)
    exchange = forward if isinstance(forward, DistributedDataParallel) else None
    if settings.compile:
        forward = cast(nn.Module, torch.compile(forward, dynamic=False))
    averaged = [*precision.weights, *(b for b in net.buffers() if b.is_floating_point())]
    return TrainState(
        net, forward, exchange, precision, make_optimizer(net, precision.weights, settings), settings,
        EMA(averaged, settings.ema) if settings.ema else None,
        Lookahead(averaged, settings.lookahead) if settings.lookahead.every else None,
    )  # fmt: skip


def line(trainer: Trainer[Classifier], row: EpochMetrics) -> str:
    """Return the loss and the accuracies of an epoch in words."""
    split = trainer.experiment.data.monitored
    validated = "" if row.accuracy is None else f"  {split} {row.accuracy:5.2f} %"
    return f"loss {row.train_loss:.4f}  train {row.train_accuracy:5.2f} %{validated}  lr {row.lr:.4f}"


def result(trainer: Trainer[Classifier]) -> dict[str, Any]:
    """Return what the last epoch says of the result, accuracies in percent."""
    last = trainer.curve[-1]
    return {
        "monitored": trainer.experiment.data.monitored,
        "accuracy": last.accuracy,
        "loss": last.loss,
        "train_accuracy": last.train_accuracy,
        "train_loss": last.train_loss,
    }


def write(trainer: Trainer[Classifier], out: Path, data: Path, stats: Path, choices: str) -> None:
    """Write the weights, in whose header are the ``choices`` that made them."""
    classes = read_json(data / "dataset.json", Named)["classes"]
    preprocessing = Preprocessing.of(trainer.experiment, data, stats).plain()
    write_weights(out / "model.safetensors", trainer.task.state.net, choices, classes, preprocessing)


def memory(experiment: Experiment) -> str:
    """Return which settings take memory, and the remedy."""
    train = experiment.train
    return (
        f"train.batch {train.batch} in {train.accumulate} micro-batches; raise train.accumulate, or lower train.batch"
    )
