"""Checkpoints: what a training needs to continue after it was stopped or killed."""

import hashlib
import itertools
import os
import shutil
import sys
import weakref
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import torch

from dawn.config.experiment import Experiment
from dawn.core import file_lock, out_of_memory
from dawn.core.cli import InputError, describe
from dawn.core.code_deps import code
from dawn.core.files import replacing, sha256
from dawn.runtime.distributed import World

MOST_PARTS = 10_000_000  # values and keys of a checkpoint
FILE, BEFORE, LOCK = "state.pt", "before.pt", "lock"


def key(choices: str, files: Iterable[Path | None]) -> str:
    """Return a name for all that decides the weights but the seed: the settings, and the files of data and code.

    An edit to any of them gives another name, so a checkpoint is never used for another training.
    """
    digest = hashlib.sha256(choices.encode())
    for path in filter(None, files):
        digest.update(f"{path.name} {sha256(path) if path.exists() else None}\n".encode())
    return digest.hexdigest()[:16]


def training_key(experiment: Experiment, data: Path, stats: Path | None, device: str) -> str:
    """Return the ``key`` of the trainings of an experiment on ``data`` and the file ``stats``, on a type of device."""
    task = experiment.declared
    files = code(["train"], task.name, task.modules(experiment))
    choices = experiment.text(*experiment.trained_by) + device
    return key(choices, [data / "dataset.json", data / task.about, stats, *files])


class Checkpoints:
    """The checkpoints of one training, below ``root`` in a directory that is named by its key and its seed.

    So two trainings never share a directory, whichever ``root`` a caller names. A checkpoint holds key and seed as
    well, and one that belongs to another training, such as a file that was moved, is refused. It also holds a checksum
    of all that it contains; the one before it is kept, for the case that the last one was damaged.

    Of two processes that train the same at the same time, as two experiments of DVC may, the second has a directory of
    its own, ``seed-N.1``: each ``take``s the first one that no other process owns.
    """

    def __init__(self, root: Path, key: str, seed: int) -> None:
        self.root, self.key, self.seed = root, key, seed
        self._unlock: Callable[[], object] | None = None
        self._damaged = False  # whether the last one is, so that it must not take the place of the one before
        self.use(0)

    @classmethod
    def of(
        cls, root: Path | None, experiment: Experiment, seed: int, world: World, data: Path, stats: Path | None
    ) -> "Checkpoints | None":
        """Return those of a training on ``data`` and the file ``stats``; None without a root."""
        if root is None:
            return None
        return cls(root, training_key(experiment, data, stats, world.device.type), seed)

    def take(self) -> int:
        """Own a directory until ``release``, ``delete`` or the end of the process. Return its number."""
        for number in itertools.count():
            self.use(number)
            if (lock := file_lock.acquire(self.directory / LOCK)) is not None:
                self._unlock = weakref.finalize(self, os.close, lock)
                return number
        raise AssertionError

    def use(self, number: int) -> None:
        """Read and write in the directory of this number, which another process of this training owns."""
        self.directory = self.root / self.key / (f"seed-{self.seed}" if number == 0 else f"seed-{self.seed}.{number}")

    def release(self) -> None:
        """Let another process own the directory."""
        if self._unlock:
            self._unlock()

    def save(self, values: dict[str, Any]) -> None:
        """Replace the checkpoint atomically and keep the one before: a kill at any time leaves one that is whole."""
        path, owned = self.directory / FILE, {"key": self.key, "seed": self.seed, **values}
        with replacing(path) as partial:
            torch.save(owned | {"checksum": checksum(owned)}, partial)
            if path.exists() and not self._damaged:
                path.replace(self.directory / BEFORE)
        self._damaged = False

    def load(self, device: torch.device) -> dict[str, Any] | None:
        """Return the checkpoint, or the one before it where it is damaged, or None if there is none.

        Raises an InputError if it is of another training, or if all are damaged, rather than starting again.
        """
        faults = []
        for path in (self.directory / FILE, self.directory / BEFORE):
            if not path.exists():
                continue
            try:
                values = read(path, device)
            except Damaged as error:
                faults.append(f"{path} is damaged ({error})")
                print(f"dawn: {faults[-1]}", file=sys.stderr, flush=True)
            else:
                self._damaged = bool(faults)
                self._require_own(path, values)
                return values
        if faults:
            raise InputError(f"{'; '.join(faults)}; delete {self.directory} to train from the start")
        return None

    def _require_own(self, path: Path, values: dict[str, Any]) -> None:
        owner = values["key"], values["seed"]
        if owner != (self.key, self.seed):
            of_other = f"seed {owner[1]}" if owner[0] == self.key else "other settings, data or code"
            raise InputError(
                f"{path} is the checkpoint of another training ({of_other}), not of seed {self.seed} with these "
                "settings; delete it to train from the start"
            )

    def misfit(self, error: Exception) -> InputError:
        """The error for a checkpoint of this training that its networks or optimizers do not take."""
        return InputError(f"{self.directory} does not have the state of this training ({describe(error)[:200]}); "
                          "delete it to train from the start")  # fmt: skip

    def delete(self) -> None:
        """Delete the checkpoints, and the directories above them that hold no other."""
        delete(self.directory)
        self.release()


class Damaged(ValueError):
    """A checkpoint cannot be read, or is not what was written."""


def read(path: Path, device: torch.device) -> dict[str, Any]:
    """Return the values in a checkpoint; raises Damaged unless they are those that were written."""
    try:
        with zipfile.ZipFile(path) as archive:  # torch compresses nothing, so what is larger than the file is a bomb
            if sum(info.file_size for info in archive.infolist()) > path.stat().st_size:
                raise ValueError("it would take more bytes than it has")
        values: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        written, now = values.pop("checksum"), checksum(values)
        owner = values["key"], values["seed"]
    except Exception as error:  # torch.load has no error of its own
        out_of_memory.pass_on(error)
        raise Damaged(f"it cannot be read: {type(error).__name__}") from error
    if now != written or not isinstance(owner[0], str):
        raise Damaged("its checksum is another than when it was written")
    return values


def delete(directory: Path) -> None:
    """Delete a directory, and the two above it if they are empty."""
    shutil.rmtree(directory, ignore_errors=True)
    for parent in (directory.parent, directory.parent.parent):
        if parent.is_dir() and not any(parent.iterdir()):
            parent.rmdir()


def size(state: Any) -> int:
    """Return about how many bytes nested dictionaries and lists of tensors and values take in a file."""
    if isinstance(state, torch.Tensor):
        return state.numel() * state.element_size()
    parts = state.values() if isinstance(state, dict) else state if isinstance(state, (list, tuple)) else ()
    return 256 + sum(map(size, parts))


def checksum(state: Any) -> str:
    """Return the first 16 hexadecimal digits of the SHA-256 of nested dictionaries and lists of tensors and values.

    It is one of their bytes and their order, so of two trainings that share a step it is equal, and of others it
    differs.
    """
    digest = hashlib.sha256()
    waiting, parts = [state], 0
    while waiting:
        value, parts = waiting.pop(), parts + 1
        if parts > MOST_PARTS:
            raise ValueError("a value contains itself")
        if isinstance(value, torch.Tensor):
            if value.numel() * value.element_size() > value.untyped_storage().nbytes():
                raise ValueError(f"a tensor {tuple(value.shape)} has more values than are stored")
            digest.update(value.detach().cpu().contiguous().reshape(-1).view(torch.uint8).numpy().data)
        elif isinstance(value, dict):
            waiting += [part for item in reversed(list(value.items())) for part in reversed(item)]
        elif isinstance(value, (list, tuple)):
            waiting += reversed(value)
        else:
            digest.update(f"{value!r}\n".encode())
    return digest.hexdigest()[:16]
