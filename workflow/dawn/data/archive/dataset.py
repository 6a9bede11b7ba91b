"""What every layout of the archive comes to, and what is checked of it whatever the layout."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError

SIDE = 32  # pixels
PIXELS = SIDE * SIDE
VALUES = 3 * PIXELS  # bytes of an image: the red, the green and the blue plane


@dataclass(frozen=True)
class Split:
    """Images uint8 (n, 32, 32, 3), RGB, and their labels uint8 (n,)."""

    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]


@dataclass(frozen=True)
class Dataset:
    """The class names in label order and both splits."""

    classes: tuple[str, ...]
    train: Split
    test: Split


def class_names(names: Sequence[str], member: str) -> tuple[str, ...]:
    """The names, proven to be unique, printable and few enough for a uint8 label; InputError if not."""
    if not 1 <= len(names) <= 256:
        raise InputError(f"{member}: has {len(names)} class names, 1 to 256 are expected")
    for name in names:
        if not name or not name.isprintable() or name != name.strip():
            raise InputError(f"{member}: class name {name!r} is not printable text without spaces around it")
        if names.count(name) > 1:
            raise InputError(f"{member}: class name {name!r} is there twice, each is expected once")
    return tuple(names)


def class_lines(text: bytes, member: str) -> tuple[str, ...]:
    """The class names of a text file, one a line; empty lines at the end do not count."""
    try:
        lines = text.decode().replace("\r\n", "\n").rstrip("\n").split("\n")
    except UnicodeDecodeError as error:
        raise InputError(f"{member}: is not UTF-8 text ({error.reason}); one class name a line is expected") from error
    return class_names(lines, member)


def images_of(planes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Colour planes (n, 3072), red first, as images (n, 32, 32, 3)."""
    return np.ascontiguousarray(planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1))


def require(archive: str, found: Mapping[str, object], members: Sequence[str]) -> None:
    """InputError naming the members that are not found."""
    if missing := [member for member in members if member not in found]:
        raise InputError(f"{archive}: has no {', '.join(missing)}; is this the right archive for the chosen layout?")


def joined(archive: str, classes: Sequence[str], batches: Mapping[str, Split]) -> Split:
    """Batches, in their order, as one split; InputError on a label without a class, a class without images."""
    for member, batch in batches.items():
        if len(batch.labels) and batch.labels.max() >= len(classes):
            raise InputError(
                f"{archive}: {member}: label {batch.labels.max()}, 0 to {len(classes) - 1} are expected "
                f"for {len(classes)} classes"
            )
    labels = np.concatenate([batch.labels for batch in batches.values()])
    counts = np.bincount(labels, minlength=len(classes))
    if not counts.all():
        absent = classes[int(counts.argmin())]
        raise InputError(f"{archive}: {', '.join(batches)}: no image of class {absent!r}, at least 1 is expected")
    return Split(np.concatenate([batch.images for batch in batches.values()]), labels)
