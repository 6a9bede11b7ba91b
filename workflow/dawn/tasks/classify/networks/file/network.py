"""A network from a Python file of the user's own, which is run with the user's rights."""

import importlib.util
from types import ModuleType

from torch import nn

from dawn.core.cli import InputError, describe
from dawn.tasks.classify.networks.file.settings import File


def build(model: File, classes: int) -> nn.Module:
    """Return what ``name(classes=classes, **arguments)`` of the file returns; anything but a network is refused."""
    where = f"model.path = {model.path}"
    make = getattr(_module(model, where), model.name, None)
    call = f"{model.name}({', '.join(['classes', *model.arguments])})"
    if not callable(make):
        raise InputError(f"{where}: {model.name} cannot be called; a class or a function is needed")
    try:
        net = make(classes=classes, **model.arguments)
    except Exception as error:  # the user's code may raise anything
        raise InputError(f"{where}: {call} fails: {type(error).__name__}: {describe(error)}") from error
    if not isinstance(net, nn.Module):
        raise InputError(f"{where}: {call} returns {type(net).__name__}, a torch.nn.Module is needed")
    if not any(p.requires_grad for p in net.parameters()):
        raise InputError(f"{where}: {call} has no parameters that can be trained")
    return net


def _module(model: File, where: str) -> ModuleType:
    """Run the file as a module of its own."""
    spec = importlib.util.spec_from_file_location(f"dawn_network_{model.sha256}", model.file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    try:
        spec.loader.exec_module(module)
    except Exception as error:  # the user's code may raise anything
        raise InputError(f"{where} cannot be imported: {type(error).__name__}: {describe(error)}") from error
    return module
