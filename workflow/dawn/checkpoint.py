"""What a training needs to go on after it was killed, and the weights that it leaves in the end."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dawn.cli import Refusal
from dawn.closure import closure
from dawn.files import replacing, sha256

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
        raise Refusal(f"{path} cannot be read ({type(error).__name__}); delete it to train from the start") from error
    return state


def forget(directory: Path) -> None:
    """Remove the state, and the directory of its key when no other seed has one there."""
    shutil.rmtree(directory, ignore_errors=True)
    for parent in (directory.parent, directory.parent.parent):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def write_weights(path: Path, net: nn.Module, choices: str, classes: list[str]) -> None:
    """Write weights and buffers as safetensors, the choices that made them in its header.

    One entry, since the order of several would differ from run to run, and the file's bytes with it.
    """
    floats = {name: t for name, t in net.state_dict().items() if t.is_floating_point()}
    tensors = {name: t.detach().float().cpu().contiguous() for name, t in floats.items()}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"dawn": json.dumps({"classes": classes, **json.loads(choices)})})


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file of weights, and the choices in its header."""
    try:
        with safe_open(path, "pt") as file:
            header = (file.metadata() or {}).get("dawn", "{}")
            return {name: file.get_tensor(name) for name in file.keys()}, json.loads(header)  # noqa: SIM118 (no dict)
    except SafetensorError as error:
        raise Refusal(f"{path} is not a safetensors file of weights ({error}); train again") from error
