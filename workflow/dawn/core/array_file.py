"""Arrays as .npy files, and several in one .npz; what is read is checked before memory is taken for it."""

import io
import os
import shutil
import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from tokenize import TokenError
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.lib import format as npy
from numpy.typing import NDArray

from dawn.core.cli import InputError
from dawn.core.files import UNSUPPORTED, open_plain, replacing
from dawn.core.reading import REMEDY

# What the readers of numpy and zipfile raise on damage.
DAMAGE = (
    ValueError, EOFError, SyntaxError, TypeError, TokenError, KeyError, OverflowError, RecursionError,
    RuntimeError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
DENSITY, SMALL = 400, 1 << 26  # bytes of an array for each one in a compressed file, where it has more than SMALL


class Kind(NamedTuple):
    """What an array must be: the type of its numbers, and its shape. A side that is None may have any length."""

    type: Any  # of numpy, such as np.floating
    shape: tuple[int | None, ...]

    def fault(self, dtype: np.dtype[Any], shape: tuple[int, ...]) -> str | None:
        """Return how an array differs from this, or None."""
        same = len(shape) == len(self.shape) and all(b in (None, a) for a, b in zip(shape, self.shape, strict=True))
        if np.issubdtype(dtype, self.type) and same and all(shape):
            return None
        sides = ", ".join("*" if side is None else str(side) for side in self.shape)
        return f"{dtype} {shape}, not {self.type.__name__} ({sides})"


LABELS, IMAGES = Kind(np.integer, (None,)), Kind(np.uint8, (None, None, None, 3))
SERIES = Kind(np.uint8, (None, None, None, None, 3))  # several rows of images


def save_array(path: Path, array: NDArray[Any]) -> None:
    """Write an array as .npy, atomically."""
    with replacing(path) as partial, partial.open("wb") as file:
        np.save(file, array, allow_pickle=False)


def reserve(file: BinaryIO, size: int, path: Path) -> None:
    """Take the disk space of a file of ``size`` bytes before it is written; an InputError where there is too little."""
    try:
        os.posix_fallocate(file.fileno(), 0, size)
    except OSError as error:
        if error.errno in UNSUPPORTED:  # writing will show
            return
        free = shutil.disk_usage(path.parent).free
        raise InputError(
            f"{path} needs {size:,} bytes ({error.strerror}, {free:,} are free); make room, or write to another disk"
        ) from error


def save_arrays(path: Path, compressed: bool, **arrays: NDArray[Any]) -> None:
    """Write arrays as .npz, atomically, from memory: a file that cannot grow leaves no open archive."""
    buffer = io.BytesIO()
    (np.savez_compressed if compressed else np.savez)(buffer, **arrays)  # type: ignore[arg-type]
    with replacing(path) as partial:
        partial.write_bytes(buffer.getbuffer())


def load_array(path: Path, kind: Kind | None = None) -> NDArray[Any]:
    """An array from .npy that is not loaded before it is used; an InputError where the file is damaged or another."""
    open_plain(path).close()
    try:
        array: NDArray[Any] = npy.open_memmap(path, mode="r")
    except DAMAGE as error:
        raise InputError(f"{path} is not a whole .npy array ({error}); {REMEDY}") from error
    if kind and (fault := kind.fault(array.dtype, array.shape)):
        raise InputError(f"{path} is {fault}; {REMEDY}")
    return array


def load_arrays(source: Path | bytes, name: object, kinds: Mapping[str, Kind]) -> dict[str, NDArray[Any]]:
    """The arrays of ``kinds`` of an .npz file, or of its content, by name, finite where they are floats.

    ``name`` is that of the file in messages.
    """
    if isinstance(source, Path):
        open_plain(source).close()
    try:
        with zipfile.ZipFile(io.BytesIO(source) if isinstance(source, bytes) else source) as archive:
            return {name: _member(archive, f"{name}.npy", kind) for name, kind in kinds.items()}
    except DAMAGE as error:
        raise InputError(f"{name} is not a whole .npz file ({error}); {REMEDY}") from error


def _member(archive: zipfile.ZipFile, name: str, kind: Kind) -> NDArray[Any]:
    info = archive.getinfo(name)
    if info.file_size > max(SMALL, DENSITY * info.compress_size):
        raise ValueError(f"{name} would take {info.file_size:,} bytes of {info.compress_size:,} compressed ones")
    with archive.open(info) as file:
        dtype, shape = _header(file)
    if dtype.hasobject or np.dtype(dtype).itemsize * int(np.prod(shape, dtype=object)) > info.file_size:
        raise ValueError(f"{name} has not the values of {dtype} {shape}")
    if fault := kind.fault(dtype, shape):
        raise ValueError(f"{name} is {fault}")
    with archive.open(info) as file:
        array: NDArray[Any] = npy.read_array(file, allow_pickle=False)
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        raise ValueError(f"{name} has values that are NaN or infinite")
    return array


def _header(file: BinaryIO | Any) -> tuple[np.dtype[Any], tuple[int, ...]]:
    """The type and the shape that a .npy file begins with."""
    major, _ = npy.read_magic(file)
    reader = npy.read_array_header_1_0 if major == 1 else npy.read_array_header_2_0
    shape, _, dtype = reader(file)
    return dtype, shape
