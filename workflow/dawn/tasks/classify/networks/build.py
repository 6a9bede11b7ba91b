"""Build the network that the section ``model`` describes."""

from importlib import import_module
from pathlib import Path

import torch
from torch import nn

from dawn.core import out_of_memory
from dawn.core.cli import InputError, describe
from dawn.engine.initial_weights import draw_scales
from dawn.engine.weights import fitted, read_weights
from dawn.tasks.classify.networks.family import Network


def build(model: Network, classes: int, seed: int) -> nn.Module:
    """Return the network with the initial weights of ``seed``; torch's random state is left unchanged."""
    family = import_module(f"dawn.tasks.classify.networks.{model.family}.network")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        net: nn.Module = family.build(model, classes)
        if model.bn_init == "uniform" and not draw_scales(net):
            raise InputError(
                f"model.bn_init = uniform: {model.title} has no batch norm whose scales are trained; set it to ones"
            )
        return net


def check_output(net: nn.Module, classes: int, size: int) -> None:
    """Raise InputError unless the network turns images of ``size`` pixels into logits of ``classes`` classes."""
    device, was_training = next(net.parameters()).device, net.training
    try:
        with torch.random.fork_rng(devices=[]), torch.no_grad():
            logits = net.eval()(torch.zeros(2, 3, size, size, device=device))
    except Exception as error:  # a network raises whatever its layers do
        out_of_memory.pass_on(error)
        raise InputError(f"model: the network fails on images of {size} x {size} pixels: {describe(error)}") from error
    finally:
        net.train(was_training)
    if not isinstance(logits, torch.Tensor) or logits.shape != (2, classes) or not logits.is_floating_point():
        output = f"{logits.dtype} {tuple(logits.shape)}" if isinstance(logits, torch.Tensor) else type(logits).__name__
        raise InputError(
            f"model: the network turns 2 images of {size} x {size} pixels into {output}; "
            f"logits (2, {classes}) are needed"
        )


def restored(model: Network, path: Path, classes: int) -> nn.Module:
    """The network of a model section with the weights of a file; weights of another network are refused."""
    tensors, _ = read_weights(path)
    remedy = "train again, or give the weights of this network"
    return fitted(lambda: build(model, classes, 0), tensors, path, model.model_dump_json(), remedy)
