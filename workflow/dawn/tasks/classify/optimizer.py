"""The optimiser: SGD, or Muon for filters, over groups of weights that each have a learning rate of their own."""

from collections.abc import Sequence
from importlib import import_module
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim.sgd import sgd

from dawn.runtime.precision import trainable
from dawn.tasks.classify.networks.layers import Stem
from dawn.tasks.classify.schedule import Scheduled
from dawn.tasks.classify.settings import Train

WEIGHTS, BIASES, STEM_BIAS, FILTERS = (
    "weights",
    "biases",
    "stem bias",
    "filters",
)  # groups of weights; Muon trains filters

SETTINGS = ("weight_decay", "momentum", "lr", "dampening", "nesterov", "maximize", "fused")  # of torch's groups


class SGD(torch.optim.SGD):
    """torch's SGD, whose fused update on a CPU copies filters in channels-last memory: here it needs no copies."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        """Update all groups."""
        for group in self.param_groups:
            weights = [w for w in group["params"] if w.grad is not None]
            gradients = [in_order(w.grad, w) for w in weights]
            momenta = [in_order(self.state[w]["momentum_buffer"], w) if group["momentum"] else None for w in weights]
            settings: dict[str, Any] = {name: group[name] for name in SETTINGS}
            settings |= {name: getattr(self, name, None) for name in ("grad_scale", "found_inf")}  # of a GradScaler
            sgd([in_order(w, w) for w in weights], gradients, momenta, **settings)


def in_order(tensor: Tensor, weight: Tensor) -> Tensor:
    """Return what belongs to a weight with its dimensions in the order in which memory holds those of the weight."""
    last = weight.ndim == 4 and weight.is_contiguous(memory_format=torch.channels_last)
    return tensor.permute(0, 2, 3, 1) if last else tensor


def make_optimizer(net: nn.Module, weights: Sequence[Tensor], train: Train) -> SGD:
    """Return the optimiser of ``weights``: the trained parameters of ``net``, or their fp32 masters.

    SGD's update is torch's: v = m v + g + decay w; w = w - lr v. Learning rates are set before each step.
    """
    groups = [group(name, members, train) for name, members in split(net, weights, train).items() if members]
    settings: dict[str, Any] = {"lr": train.schedule.peak, "momentum": max(train.schedule.momentum), "fused": True}
    if train.optimizer == "sgd":
        optimizer = SGD(groups, **settings)
    else:
        on_cpu = weights[0].device.type == "cpu"
        dtype = torch.float32 if on_cpu and train.precision != "bf16" else torch.bfloat16
        muon = import_module("dawn.tasks.classify.muon")  # by name: code of those trainings alone that use it
        optimizer = muon.Muon(groups, train.muon, dtype, **settings)
    start_momentum(optimizer)
    return optimizer


def start_momentum(optimizer: SGD) -> None:
    """Set the momentum of every weight to 0, with which the first step is the same as torch's.

    torch's fused SGD (2.11 to 2.15) allocates the momentum in the first step, and where that step overflows in fp16,
    so that a GradScaler skips it, the memory stays uninitialised and the next steps use it.
    """
    for group in optimizer.param_groups:
        for weight in group["params"] if group["momentum"] else ():
            optimizer.state[weight]["momentum_buffer"] = torch.zeros_like(weight)


def clear_momentum(optimizer: torch.optim.Optimizer) -> None:
    """Set all that an optimizer remembers to 0: a new cycle starts, as in fastai, with a new optimizer."""
    for remembered in optimizer.state.values():
        for value in remembered.values():
            value.zero_()


def split(net: nn.Module, weights: Sequence[Tensor], train: Train) -> dict[str, list[Tensor]]:
    """Return the weights by group, in the order of the parameters of ``net``."""
    stem = {id(bias) for bias in stem_biases(net)}
    groups: dict[str, list[Tensor]] = {WEIGHTS: [], BIASES: [], STEM_BIAS: [], FILTERS: []}
    for weight, parameter in zip(weights, trainable(net), strict=True):
        if id(parameter) in stem:
            groups[STEM_BIAS].append(weight)
        elif parameter.ndim < 2:
            groups[BIASES].append(weight)
        else:
            groups[FILTERS if parameter.ndim == 4 and train.optimizer == "muon" else WEIGHTS].append(weight)
    return groups


def stem_biases(net: nn.Module) -> list[Tensor]:
    """Return the biases of whitening layers."""
    return [module.bias for module in net.modules() if isinstance(module, Stem) and module.bias is not None]


def group(name: str, weights: list[Tensor], train: Train) -> dict[str, Any]:
    """Return one of torch's parameter groups; ``base_lr`` is its learning rate at the peak of the schedule.

    A multiplier says how fast a group learns, not how fast it shrinks, so the weight decay is divided by it.
    """
    if name == FILTERS:  # their momentum is Muon's own
        return {"params": weights, "name": name, "base_lr": train.muon.lr, "momentum": 0.0, "weight_decay": 0.0}
    multiplier = {BIASES: train.bias_lr_multiplier, STEM_BIAS: train.stem_lr_multiplier}.get(name, 1.0)
    decays = train.decay == "all" or name == WEIGHTS
    return {
        "params": weights,
        "name": name,
        "base_lr": multiplier * train.schedule.peak,
        "weight_decay": train.weight_decay / multiplier if decays else 0.0,
        "nesterov": train.nesterov and max(train.schedule.momentum) > 0,
    }


def set_learning_rates(optimizer: torch.optim.Optimizer, scheduled: Scheduled) -> None:
    """Set the learning rate and momentum of each group; a rate on the device, which a captured step reads, in place."""
    for group in optimizer.param_groups:
        lr = group["base_lr"] * (scheduled.stem_lr if group["name"] == STEM_BIAS else scheduled.lr)
        if isinstance(group["lr"], Tensor):
            group["lr"].fill_(lr)
        else:
            group["lr"] = lr
        if group["name"] != FILTERS:
            group["momentum"] = scheduled.momentum


def restore(optimizer: torch.optim.Optimizer, state: dict[str, Any]) -> None:
    """Copy a state of the optimiser into the tensors that it has already, since a captured step reads those."""
    weights = [w for group in optimizer.param_groups for w in group["params"]]
    for i, weight in enumerate(weights):
        for name, value in optimizer.state[weight].items():
            value.copy_(state["state"][i][name])
