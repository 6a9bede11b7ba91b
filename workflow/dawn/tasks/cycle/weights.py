"""The weights that a CycleGAN's training leaves, as safetensors: to_a.*, to_b.*, critic_a.*, critic_b.*."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.core.cli import InputError
from dawn.engine.weights import fitted, read_weights, write_weights
from dawn.tasks.cycle.networks import Networks, build
from dawn.tasks.cycle.settings import Cycle


@dataclass(frozen=True)
class Trained:
    """A trained CycleGAN: its networks in evaluation, the names of domains A and B, the images' size in pixels."""

    nets: Networks
    names: tuple[str, str]
    size: int
    resize: str


def write(path: Path, nets: Networks, choices: str, names: list[str], preprocessing: dict[str, Any]) -> None:
    """Write the networks with the choices that made them; ``preprocessing`` has size and resize of the images."""
    write_weights(path, nets.module, choices, names, preprocessing)


def restored(path: Path) -> Trained:
    """Return the CycleGAN in a file of weights; an InputError if it holds none."""
    tensors, header = read_weights(path)
    try:
        settings, size = Cycle.model_validate(header["cycle"]), header["preprocessing"]["size"]
        names, resize = (str(header["classes"][0]), str(header["classes"][1])), header["preprocessing"]["resize"]
    except (KeyError, IndexError, TypeError, ValueError) as error:
        raise InputError(
            f"{path} holds no CycleGAN; give the model.safetensors of an experiment with task cycle"
        ) from error
    header_networks = "the networks of its header"
    nets = fitted(lambda: build(settings, size, 0).module, tensors, path, header_networks, "train again")
    nets.eval().requires_grad_(False)
    return Trained(Networks(**nets), names, size, resize)
