"""Trained networks as a function of images: those of one experiment over its seeds, averaged."""

import argparse
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from pydantic import TypeAdapter, ValidationError
from torch import Tensor, nn

from dawn.config.errors import explain
from dawn.core.cli import InputError, quoted
from dawn.data.preprocessing import Preprocessing
from dawn.engine.weights import read_weights
from dawn.tasks.classify.inference import require_finite, views
from dawn.tasks.classify.networks.build import restored
from dawn.tasks.classify.networks.family import Network
from dawn.tasks.classify.networks.settings import Model

WEIGHTS = "model.safetensors"  # in the directory of a seed
SUFFIX = ".safetensors"
BATCH = 256  # images at once


def add_network(parser: argparse.ArgumentParser) -> None:
    """Add ``--network``, the file of a network of the family ``file``."""
    parser.add_argument(
        "--network", type=Path, metavar="FILE", help="the Python file of a network of model.family file"
    )


@dataclass(frozen=True)
class Trained:
    """One network with its weights, what brings an image to its input, and the classes of its output."""

    path: Path
    net: nn.Module
    preprocessing: Preprocessing
    classes: tuple[str, ...]


def load_trained(place: Path, network: Path | None = None) -> Trained:
    """The network of a file of weights, or of the directory of a seed, in evaluation mode on the CPU.

    A network of the family ``file`` is code, which a file of weights must not choose to run: the user names it in
    ``network``, and its checksum must be that in the weights.
    """
    path = place / WEIGHTS if place.is_dir() else place
    if not path.exists():
        raise InputError(f"{path} is not there; train first, or name a directory such as results/seed-0")
    _, header = read_weights(path)
    if not header.get("model") or not header.get("classes"):
        raise InputError(f"{path} does not store its network; it was not written by dawn.train")
    preprocessing = Preprocessing.parse(header.get("preprocessing"), path)
    model = _model(header["model"], path, network)
    net = restored(model, path, len(header["classes"])).eval()
    return Trained(path, net.requires_grad_(False), preprocessing, tuple(header["classes"]))


def _model(values: dict[str, Any], path: Path, network: Path | None) -> Network:
    """The settings of the network in a header."""
    if values.get("family") == "file":
        if network is None:
            name = quoted(values.get("path"), 4096)
            raise InputError(f"{path} is of a network of your own; give the file {name} with --network")
        values = {**values, "path": str(network.absolute())}
    try:
        settings: Network = TypeAdapter(Model).validate_python(values)
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, Model)}") from error
    return settings


class Predictor:
    """One or several networks that see an image alike; what they answer is averaged."""

    def __init__(
        self, places: Sequence[Path], device: torch.device, tta: str = "none", network: Path | None = None
    ) -> None:
        self.members = [load_trained(place, network) for place in places]
        self.device, self.tta, self.lock = device, tta, threading.Lock()
        first, *others = self.members
        for other in others:
            for what in ("classes", "preprocessing"):
                if getattr(other, what) != getattr(first, what):
                    raise InputError(
                        f"{first.path} and {other.path} differ in their {what}; give seeds of one experiment"
                    )
        self.classes, self.preprocessing = first.classes, first.preprocessing
        for member in self.members:
            member.net.to(device)

    @torch.inference_mode()
    def logits(self, images: NDArray[np.uint8]) -> Tensor:
        """Logits float32 (networks, n, classes), on the CPU, of images uint8 (n, size, size, 3)."""
        parts = []
        for first in range(0, len(images), BATCH):
            pixels = torch.tensor(images[first : first + BATCH], device=self.device)
            seen = views(self.preprocessing.input(pixels), self.tta)
            with self.lock:  # a page has several threads
                answers = [torch.stack([weight * m.net(view) for weight, view in seen]).sum(0) for m in self.members]
            for member, answer in zip(self.members, answers, strict=True):
                require_finite(answer, member.path)
            parts.append(torch.stack(answers).cpu())
        return torch.cat(parts, 1)

    def probabilities(self, images: NDArray[np.uint8]) -> Tensor:
        """Probabilities float32 (networks, n, classes) of images uint8 (n, size, size, 3)."""
        return self.logits(images).softmax(2)

    def seen(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """An image uint8 (size, size, 3) at the networks' input size, before normalisation."""
        pixels: NDArray[np.uint8] = self.preprocessing.seen(torch.tensor(image[None]))[0].numpy()
        return pixels
