"""Any classifier of torchvision, on request with first layers that keep the size of 32-pixel images."""

import difflib

from torch import nn

from dawn.core.cli import InputError
from dawn.tasks.classify.networks.torchvision.settings import Torchvision


def build(model: Torchvision, classes: int) -> nn.Module:
    """Return the untrained classifier of that name: images (b, 3, h, w) to logits (b, classes).

    Only this function imports torchvision. Unknown names and networks that return more than logits are refused.
    """
    from torchvision import models

    names = models.list_models(module=models)
    if model.name not in names:
        near = difflib.get_close_matches(model.name, names, n=3) or names[:3]
        raise InputError(f"model.name = {model.name}: torchvision has no such classifier; near it: {', '.join(near)}")
    if model.name in ("googlenet", "inception_v3"):
        raise InputError(
            f"model.name = {model.name} has auxiliary outputs, which the training loop does not use; choose another"
        )
    net: nn.Module = models.get_model(model.name, weights=None, num_classes=classes)
    if model.cifar_stem:
        cifar_stem(net, model.name)
    return net


def cifar_stem(net: nn.Module, name: str) -> None:
    """Replace the first convolution by a 3x3 of stride 1, and a max pooling directly after it by the identity."""
    leaves = [(path, module) for path, module in net.named_modules() if not list(module.children())]
    convolutions = [i for i, (_, module) in enumerate(leaves) if isinstance(module, nn.Conv2d)]
    if name.startswith(("vit_", "swin", "maxvit")) or not convolutions:
        raise InputError(
            f"model.cifar_stem does not fit {name}, which cuts the image into patches; set model.cifar_stem to false"
        )
    path, old = leaves[convolutions[0]]
    assert isinstance(old, nn.Conv2d)
    stem = nn.Conv2d(old.in_channels, old.out_channels, 3, 1, padding=1, bias=old.bias is not None)
    nn.init.kaiming_normal_(stem.weight, mode="fan_out", nonlinearity="relu")
    net.set_submodule(path, stem)
    end = convolutions[1] if len(convolutions) > 1 else len(leaves)
    for path, module in leaves[convolutions[0] + 1 : end]:
        if isinstance(module, nn.MaxPool2d):
            net.set_submodule(path, nn.Identity())
