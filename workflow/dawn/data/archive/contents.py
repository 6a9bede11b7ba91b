"""What an archive holds, whatever its layout: class names and two splits; the checks that all layouts share."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, quoted

SIDE = 32  # pixels
VALUES = 3 * SIDE * SIDE  # bytes of an image: the red, the green and the blue plane
BLOCK = 1000  # images that are copied at once
TEXT = 64 << 10  # bytes of a text file of class names
NAME = 80  # characters of a class name

Bytes = NDArray[np.uint8]


@dataclass(frozen=True)
class Split:
    """Images and labels of a split, or of a batch of it, in the archive's order.

    The images stay in parts, views of the bytes that were read. They are copied a block at a time when they are
    written, so that a split is in memory once.
    """

    parts: tuple[Bytes, ...]  # each uint8 (n_k, 32, 32, 3), RGB
    labels: Bytes  # (n,), of all parts

    def blocks(self, rows: NDArray[np.bool_]) -> Iterator[Bytes]:
        """The images that ``rows``, bool (n,), selects, contiguous, in blocks of at most BLOCK."""
        first = 0
        for part in self.parts:
            for start in range(0, len(part), BLOCK):
                block = part[start : start + BLOCK]
                selected = rows[first : first + len(block)]
                yield np.ascontiguousarray(block if selected.all() else block[selected])
                first += len(block)


@dataclass(frozen=True)
class Contents:
    """The class names in label order and both splits."""

    classes: tuple[str, ...]
    train: Split
    test: Split


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


def class_lines(text: bytearray, member: str) -> tuple[str, ...]:
    """The class names of a text file, one a line; empty lines at the end do not count."""
    if len(text) > TEXT:
        raise InputError(f"{member}: has {len(text)} bytes, at most {TEXT} of class names are allowed")
    return class_names(bytes(text).replace(b"\r\n", b"\n").rstrip(b"\n").split(b"\n"), member)


def images_of(planes: Bytes) -> Bytes:
    """Colour planes (n, 3072), red first, as a view of images (n, 32, 32, 3)."""
    return planes.reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)


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
        absent = quoted(classes[int(counts.argmin())])
        raise InputError(f"{archive}: {', '.join(batches)}: no image of class {absent}, at least 1 is expected")
    return Split(tuple(part for batch in batches.values() for part in batch.parts), labels)
