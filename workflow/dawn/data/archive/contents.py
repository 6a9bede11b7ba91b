"""The images of a source, whatever its layout; the checks of class names that all layouts share."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, quoted

SIDE = 32  # pixels of an image of CIFAR
VALUES = 3 * SIDE * SIDE  # bytes of one: the red, the green and the blue plane
TEXT = 64 << 10  # bytes of a text file of class names
NAME = 80  # characters of a class name

Bytes = NDArray[np.uint8]
Block = tuple[Bytes, list[str]]  # images (k, side, side, 3), and a checksum of each


@dataclass(frozen=True)
class Contents:
    """The images of a source in its order, RGB, and what dataset.json says of how they were made.

    ``labels`` int64 (n,) are positions in ``classes``; ``test`` bool (n,) marks the test split; ``names`` say where in
    the source each image is. ``blocks`` gives the images, once, so that they need not be in memory together.
    """

    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    test: NDArray[np.bool_]
    names: Sequence[str]
    side: int
    blocks: Iterator[Block]
    about: dict[str, Any] = field(default_factory=dict)


def class_names(names: Sequence[str | bytes], member: str) -> tuple[str, ...]:
    """The names as text; InputError unless they are unique, printable, short and few enough for a uint8 label."""
    if not 1 <= len(names) <= 256:
        raise InputError(f"{member}: has {len(names)} class names, 1 to 256 are expected")
    checked: list[str] = []
    for name in names:
        if not 1 <= len(name) <= NAME:
            raise InputError(f"{member}: class name {quoted(name)} has {len(name)} characters, 1 to {NAME} are allowed")
        try:
            text = name.decode() if isinstance(name, bytes) else name
        except UnicodeDecodeError as error:
            raise InputError(f"{member}: class name {quoted(name)} is not UTF-8 text") from error
        if not text.isprintable() or text != text.strip():
            raise InputError(f"{member}: class name {quoted(text)} is not printable text without spaces around it")
        if text in checked:
            raise InputError(f"{member}: class name {quoted(text)} is there twice, each is expected once")
        checked.append(text)
    return tuple(checked)


def class_lines(text: bytes, member: str) -> tuple[str, ...]:
    """The class names of a text file, one a line; empty lines at the end do not count."""
    if len(text) > TEXT:
        raise InputError(f"{member}: has {len(text)} bytes, at most {TEXT} of class names are allowed")
    return class_names(text.replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n"), member)
