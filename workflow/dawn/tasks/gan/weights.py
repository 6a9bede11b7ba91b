"""The weights that a GAN's training leaves, as safetensors: generator.*, critic.*, and in the header what made them."""

from dataclasses import dataclass
from pathlib import Path

from torch import nn

from dawn.core.cli import InputError
from dawn.engine.weights import fitted, read_weights, write_weights
from dawn.tasks.gan.networks import build
from dawn.tasks.gan.settings import Gan


@dataclass(frozen=True)
class Trained:
    """A trained GAN: its networks in evaluation, its settings, the names of the classes, the images' size in pixels."""

    generator: nn.Module
    critic: nn.Module
    settings: Gan
    classes: list[str]
    size: int


def write(path: Path, generator: nn.Module, critic: nn.Module, choices: str, classes: list[str], size: int) -> None:
    """Write both networks with the choices that made them."""
    write_weights(path, nn.ModuleDict({"generator": generator, "critic": critic}), choices, classes, {"size": size})


def restored(path: Path) -> Trained:
    """Return the GAN in a file of weights; an InputError if it holds none."""
    tensors, header = read_weights(path)
    try:
        settings, size = Gan.model_validate(header["gan"]), header["preprocessing"]["size"]
        classes: list[str] = list(header["classes"])
        if not classes:
            raise ValueError("no classes")
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"{path} holds no GAN; give the model.safetensors of an experiment with task gan") from error

    def both() -> nn.ModuleDict:
        return nn.ModuleDict(dict(zip(("generator", "critic"), build(settings, len(classes), size, 0), strict=True)))

    nets = fitted(both, tensors, path, "the networks of its header", "train again")
    nets.eval().requires_grad_(False)
    return Trained(nets["generator"], nets["critic"], settings, classes, size)
