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
    """Return a name for all that decides the weights: the settings, the data, the code of ``command``.

    An edit to any of them names another directory, so a checkpoint is never used for another training.
    """
    digest = hashlib.sha256(choices.encode())
    for path in filter(None, (data / "dataset.json", stats, *closure(command))):
        digest.update(f"{path.name} {sha256(path) if path.exists() else None}\n".encode())
    return digest.hexdigest()[:16]


def save(directory: Path, values: dict[str, Any]) -> None:
    """Replace the checkpoint in ``directory`` atomically: a kill at any time leaves the old one or the new one."""
    with replacing(directory / FILE) as partial:
        torch.save(values, partial)


def load(directory: Path, device: torch.device) -> dict[str, Any] | None:
    """Return the checkpoint in ``directory``, or None; an InputError if it is damaged, rather than starting again."""
    path = directory / FILE
    if not path.exists():
        return None
    try:
        values: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load has no error of its own
        raise InputError(
            f"{path} cannot be read ({type(error).__name__}); delete it to train from the start"
        ) from error
    return values


def delete(directory: Path) -> None:
    """Delete the checkpoint, and the directories above it that hold no other."""
    shutil.rmtree(directory, ignore_errors=True)
    for parent in (directory.parent, directory.parent.parent):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
