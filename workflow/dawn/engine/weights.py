"""The weights that a training leaves, as safetensors with the settings that made them."""

import hashlib
import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor, nn

from dawn.core import out_of_memory
from dawn.core.cli import InputError
from dawn.core.files import replacing
from dawn.results.manifest import header

N = TypeVar("N", bound=nn.Module)


def write_weights(path: Path, net: nn.Module, choices: str, classes: list[str], preprocessing: dict[str, Any]) -> None:
    """Write weights and buffers as safetensors; in the header all that using them takes, and the choices made.

    One entry, since the order of several would differ from run to run, and the file's bytes with it.
    """
    floats = {name: t for name, t in net.state_dict().items() if t.is_floating_point()}
    tensors = {name: t.detach().float().cpu().contiguous() for name, t in floats.items()}
    about = {"classes": classes, "preprocessing": preprocessing, **json.loads(choices)}
    with replacing(path) as partial:
        save_file(tensors, partial, metadata={"dawn": json.dumps(about)})


def read_weights(path: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors of a file of weights, all of them finite, and the choices in its header."""
    choices = header(path)
    try:
        with safe_open(path, "pt") as file:
            tensors = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 (no dict)
    except (SafetensorError, AttributeError, KeyError, RuntimeError, TypeError) as error:  # a type that torch lacks
        out_of_memory.pass_on(error)
        raise InputError(f"{path} is not a safetensors file of weights ({error}); train again") from error
    for name, tensor in tensors.items():
        _require_finite(path, name, tensor)
    return tensors, choices


def misfit(build: Callable[[], nn.Module], tensors: Mapping[str, Tensor]) -> str | None:
    """Return which tensor of a file does not fit the network of ``build``; None if all fit.

    The network takes no memory, unless its initialisation reads values, which tensors on the meta device do not have.
    Buffers of whole numbers are in no file.
    """
    try:
        with torch.device("meta"):
            state = build().state_dict()
    except Exception:  # a network raises whatever its layers do
        state = build().state_dict()
    wanted = {name: tensor.shape for name, tensor in state.items() if tensor.is_floating_point()}
    for name in sorted(wanted.keys() | tensors.keys()):
        if name not in tensors or name not in wanted:
            return f"{name} is {'missing' if name in wanted else 'not in the network'}"
        if (tensor := tensors[name]).shape != wanted[name] or not tensor.is_floating_point():
            return f"{name} is {tensor.dtype} {tuple(tensor.shape)}, not float {tuple(wanted[name])}"
    return None


def fitted(build: Callable[[], N], tensors: Mapping[str, Tensor], path: Path, what: str, remedy: str) -> N:
    """Return a network of ``build`` with the tensors of the file ``path``; an InputError unless they fit ``what``."""
    if fault := misfit(build, tensors):
        raise InputError(f"{path} does not fit {what} ({fault}); {remedy}")
    net = build()
    net.load_state_dict({**net.state_dict(), **tensors})
    return net


def _require_finite(path: Path, name: str, tensor: Tensor) -> None:
    """Refuse NaN and infinity, with which a network answers everything and nothing."""
    bad = int((~torch.isfinite(tensor.float())).sum()) if tensor.is_floating_point() else 0
    if bad:
        raise InputError(
            f"{path}: {bad:,} of {tensor.numel():,} values of the tensor {name} are NaN or infinite; the training "
            "diverged or the file is damaged: train again, with a lower learning rate if it diverged"
        )


def checksum(net: nn.Module) -> str:
    """Return the SHA-256 of the names, shapes and bytes of all weights and buffers, in their order."""
    digest = hashlib.sha256()
    for name, tensor in net.state_dict().items():
        digest.update(f"{name} {tuple(tensor.shape)} {tensor.dtype}\n".encode())
        digest.update(tensor.detach().cpu().contiguous().numpy().tobytes())
    return digest.hexdigest()
