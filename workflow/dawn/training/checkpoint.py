"""What a training needs to go on after it was killed, and the weights that it leaves in the end."""

import hashlib
import shutil
from pathlib import Path
from typing import Any

import torch

from dawn.core.cli import InputError
from dawn.core.code_deps import closure
from dawn.core.files import replacing, sha256

STATE = "state.pt"


def key(choices: str, data: Path, stats: Path, step: str) -> str:
    """A name for all that decides the weights: the choices, the data, the code of ``step``.

    An edit to any of them names another directory, so a state is never used where it does not belong.
    """
    digest = hashlib.sha256(choices.encode())
    for path in (data / "dataset.json", stats, *closure(step)):
        digest.update(f"{path.name} {sha256(path) if path.exists() else None}\n".encode())
    return digest.hexdigest()[:16]


def save(directory: Path, state: dict[str, Any]) -> None:
    """Replace the state in ``directory``; a kill at any instant leaves the old one or the new one."""
    with replacing(directory / STATE) as partial:
        torch.save(state, partial)


def load(directory: Path, device: torch.device) -> dict[str, Any] | None:
    """The state in ``directory``, or None; a broken one is refused, since silently starting anew would hide it."""
    path = directory / STATE
    if not path.exists():
        return None
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except Exception as error:  # torch.load has no error of its own
        raise InputError(
            f"{path} cannot be read ({type(error).__name__}); delete it to train from the start"
        ) from error
    return state


def forget(directory: Path) -> None:
    """Remove the state, and the directory of its key when no other seed has one there."""
    shutil.rmtree(directory, ignore_errors=True)
    for parent in (directory.parent, directory.parent.parent):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()
