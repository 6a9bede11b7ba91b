"""Checkpoints: what a training needs to continue after it was stopped or killed."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import torch

from dawn.core.cli import InputError
from dawn.core.code_deps import closure
from dawn.core.files import replacing, sha256

FILE = "state.pt"


def key(choices: str, data: Path, stats: Path | None, command: str) -> str:
    """Return a name for all that decides the weights but the seed: the settings, the data, the code of ``command``.

    An edit to any of them gives another name, so a checkpoint is never used for another training.
    """
    digest = hashlib.sha256(choices.encode())
    for path in filter(None, (data / "dataset.json", stats, *closure(command))):
        digest.update(f"{path.name} {sha256(path) if path.exists() else None}\n".encode())
    return digest.hexdigest()[:16]


class Checkpoints:
    """The checkpoints of one training, below ``root`` in a directory that is named by its key and its seed.

    So two trainings never share a directory, whichever ``root`` a caller names. A checkpoint holds key and seed as
    well, and one that belongs to another training, such as a file that was moved, is refused.
    """

    def __init__(self, root: Path, key: str, seed: int) -> None:
        self.key, self.seed = key, seed
        self.directory = root / key / f"seed-{seed}"

    def save(self, values: dict[str, Any]) -> None:
        """Replace the checkpoint atomically: a kill at any time leaves the old one or the new one."""
        with replacing(self.directory / FILE) as partial:
            torch.save({"key": self.key, "seed": self.seed, **values}, partial)

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the checkpoint, or None if there is none.

        Raises an InputError if it is damaged or of another training, rather than starting again.
        """
        path = self.directory / FILE
        if not path.exists():
            return None
        try:
            values: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
            owner = values["key"], values["seed"]
        except Exception as error:  # torch.load has no error of its own
            raise InputError(
                f"{path} cannot be read ({type(error).__name__}); delete it to train from the start"
            ) from error
        if owner != (self.key, self.seed):
            of_other = f"seed {owner[1]}" if owner[0] == self.key else "other settings, data or code"
            raise InputError(
                f"{path} is the checkpoint of another training ({of_other}), not of seed {self.seed} with these "
                "settings; delete it to train from the start"
            )
        return values

    def delete(self) -> None:
        """Delete the checkpoint, and the directories above it that hold no other."""
        delete(self.directory)


def delete(directory: Path) -> None:
    """Delete a directory, and the two above it if they are empty."""
    shutil.rmtree(directory, ignore_errors=True)
    for parent in (directory.parent, directory.parent.parent):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def checksum(state: Any) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of all tensors in nested dictionaries and lists, in order.

    It is one of their bytes, so of two trainings that share a step it is equal, and of others it differs.
    """
    digest = hashlib.sha256()
    waiting = [state]
    while waiting:
        value = waiting.pop()
        if isinstance(value, torch.Tensor):
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().tobytes())
        elif isinstance(value, dict):
            waiting += reversed(list(value.values()))
        elif isinstance(value, (list, tuple)):
            waiting += reversed(value)
    return digest.hexdigest()[:16]
