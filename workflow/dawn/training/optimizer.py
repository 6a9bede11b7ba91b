"""What moves the weights: SGD or Muon over groups of weights, and the precision that a step computes in."""

import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from dawn.config.train import Train
from dawn.models.airbench import Stem
from dawn.runtime.precision import trained
from dawn.training.muon import Muon


def optimizer(net: nn.Module, weights: Sequence[Tensor], train: Train) -> torch.optim.SGD:
    """What moves ``weights``, the masters of the trained parameters of ``net``; rates are set before every step.

    SGD's update is torch's: v = m v + g + decay w; w = w - rate v. A group whose rate is k times the schedule's has
    its L2 divided by k: k says how fast it learns, not how fast it shrinks.
    """
    stems = {id(module.bias) for module in net.modules() if isinstance(module, Stem)}
    kinds: dict[str, list[Tensor]] = {"rest": [], "bias": [], "stem": [], "filter": []}
    for weight, own in zip(weights, trained(net), strict=True):
        if id(own) in stems:
            kinds["stem"].append(weight)
        elif own.ndim < 2:
            kinds["bias"].append(weight)
        else:
            kinds["filter" if own.ndim == 4 and train.optimizer == "muon" else "rest"].append(weight)
    high = max(train.schedule.momentum)
    groups = [group(kind, members, train) for kind, members in kinds.items() if members]
    if train.optimizer == "sgd":
        return torch.optim.SGD(groups, lr=train.schedule.peak, momentum=high, fused=True)
    kind = torch.float32 if weights[0].device.type == "cpu" and train.precision != "bf16" else torch.bfloat16
    return Muon(groups, kind, lr=train.schedule.peak, momentum=high, fused=True)


def group(kind: str, weights: list[Tensor], train: Train) -> dict[str, Any]:
    """The settings of a group: ``share`` is its rate over the schedule's, ``epochs`` how long it learns."""
    nesterov = train.nesterov and max(train.schedule.momentum) > 0
    if kind == "filter":
        turn = (train.muon.momentum, train.muon.steps, train.muon.coefficients)
        share = train.muon.lr / train.schedule.peak
        return {"params": weights, "share": share, "momentum": 0.0, "weight_decay": 0.0, "muon": turn}
    share = {"bias": train.bias_lr_multiplier, "stem": train.stem_lr_multiplier}.get(kind, 1.0)
    decay = 0.0 if train.decay == "weights" and kind != "rest" else train.weight_decay / share
    more = {"epochs": train.stem_epochs} if kind == "stem" and train.stem_epochs else {}
    return {"params": weights, "share": share, "weight_decay": decay, "nesterov": nesterov, **more}


def set_rate(optimizer: torch.optim.Optimizer, rate: float, momentum: float, fading: float | None = None) -> None:
    """Set learning rate and momentum of every group, each its share of the rate.

    A group with ``epochs`` of its own takes ``fading`` in the rate's place, where that is given. A rate that lies on
    the device, for a recorded step to read, is written over there.
    """
    for group in optimizer.param_groups:
        value = group["share"] * (fading if fading is not None and "epochs" in group else rate)
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(value)
        else:
            group["lr"] = value
        if "muon" not in group:
            group["momentum"] = momentum


def fading(step: int, per_epoch: int, train: Train) -> float | None:
    """The rate of a whitening layer's bias at ``step``: the peak, falling to 0 within ``stem_epochs``, then 0."""
    if train.stem_epochs is None:
        return None
    return train.schedule.peak * max(0.0, 1 - step / math.ceil(train.stem_epochs * per_epoch))


def reload(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Take over a state of the optimiser: into the tensors that it has, if it has any."""
    if not optimizer.state:
        optimizer.load_state_dict(state)
        return
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    for i, weight in enumerate(weights):
        for name, value in optimizer.state[weight].items():
            if isinstance(value, Tensor):
                found = state["state"].get(i, {}).get(name)
                value.zero_() if found is None else value.copy_(found)
