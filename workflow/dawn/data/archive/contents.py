"""The images of a source, whatever its layout; the checks of class names that all layouts share."""

from collections.abc import Generator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, quoted

SIDE = 32  # pixels of an image of CIFAR
VALUES = 3 * SIDE * SIDE  # bytes of one: the red, the green and the blue plane
TEXT = 64 << 10  # bytes of a file of class names
NAME = 80  # characters of a class name

Bytes = NDArray[np.uint8]
Block = tuple[Bytes, list[str]]  # images (k, side, side, 3), and a checksum of each


@dataclass(frozen=True)
class Contents:
    """The images of a source in its order, RGB, and what dataset.json says of how they were made.

    ``labels`` int64 (n,) are positions in ``classes``; ``test`` bool (n,) marks the test split; ``names`` say where in
    the source each image is. ``blocks`` gives the images, once, so that they need not be in memory together.
    ``left_out`` are the files that are not used, each with the reason.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    test: NDArray[np.bool_]
    names: Sequence[str]
    side: int
    blocks: Generator[Block]
    about: dict[str, Any] = field(default_factory=dict)
    left_out: Sequence[tuple[str, str]] = ()


def class_names(names: Sequence[str | bytes], member: str) -> tuple[str, ...]:
    """The names as text; InputError unless they are unique, printable, short and few enough for a uint8 label."""
    if not 1 <= len(names) <= 256:
        raise InputError(f"{member}: has {len(names)} class names, 1 to 256 are expected")
    checked: list[str] = []
    for name in names:
        text = name.decode(errors="replace") if isinstance(name, bytes) else name
        check_class(text, f"{member}: name")
        if text in checked:
            raise InputError(f"{member}: class {quoted(text)} is there twice, each is expected once")
        checked.append(text)
    return tuple(checked)


def check_class(name: str, where: str) -> None:
    """InputError unless a name is fit for a class."""
    if not 1 <= len(name) <= NAME or not name.isprintable() or name != name.strip() or "\ufffd" in name:
        raise InputError(
            f"{where} {quoted(name)} cannot name a class; use 1 to {NAME} printable characters, no spaces around them"
        )


def class_lines(text: bytes, member: str) -> tuple[str, ...]:
    """The class names of a text file, one a line; empty lines at the end do not count."""
    if len(text) > TEXT:
        raise InputError(f"{member}: has {len(text)} bytes, at most {TEXT} of class names are allowed")
    return class_names(text.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n"), member)
