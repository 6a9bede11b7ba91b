"""What the layouts of Krizhevsky share: train batches, a test batch and a member with the class names."""

import hashlib
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, quoted
from dawn.data.archive import tar
from dawn.data.archive.contents import SIDE, TEXT, Block, Bytes, Contents

MEMBER = 64 << 20  # bytes of one member
AT_ONCE = 1000  # images that are copied at once

Batch = tuple[Bytes, Bytes]  # colour planes (n, 3072), red first, and labels (n,)


@dataclass(frozen=True)
class Layout:
    """The members of an archive, and what parses their bytes; ``others`` may be there too and are not read.

    ``limit`` is the size of a batch in bytes; the member with the class names may have TEXT.
    """

    train: Sequence[str]
    test: str
    names: str
    names_of: Callable[[bytes, str], tuple[str, ...]]
    batch: Callable[[bytes, str], Batch]
    others: Sequence[str] = ()
    limit: int = MEMBER

    def read(self, archive: Path, about: dict[str, Any]) -> Contents:
        """The contents of an archive of this layout; InputError on anything else."""
        batches: dict[str, Batch] = {}
        classes: tuple[str, ...] = ()
        for name, data in self._members(archive):
            where = f"{archive}: {quoted(name)}"
            if name == self.names:
                classes = self.names_of(data, where)
            else:
                batches[name] = self.batch(data, where)
        order = [*self.train, self.test]
        if missing := [*([] if classes else [self.names]), *(name for name in order if name not in batches)]:
            raise InputError(
                f"{archive}: has no {', '.join(missing)}; is this the right archive for the chosen layout?"
            )
        counts = [len(batches[name][1]) for name in order]
        labels = np.concatenate([batches[name][1] for name in order]).astype(np.int64)
        test = np.arange(len(labels)) >= len(labels) - counts[-1]
        names = [f"{name}/{row}" for name, count in zip(order, counts, strict=True) for row in range(count)]
        if len(labels) and labels.max() >= len(classes):
            raise InputError(
                f"{archive}: {names[labels.argmax()]}: label {labels.max()}, 0 to {len(classes) - 1} are expected "
                f"for {len(classes)} classes"
            )
        return Contents(classes, labels, test, names, SIDE, blocks([batches[name][0] for name in order]), about)

    def _members(self, archive: Path) -> Iterator[tuple[str, bytes]]:
        """Name and content of the members that are read; InputError on one that has no place in the layout."""
        for member in tar.members(archive, tar.DATA_SET):
            name = member.name.removeprefix("./")
            if name in self.others or name.rpartition("/")[2] == "readme.html":
                continue
            if name not in (self.names, self.test, *self.train):
                raise InputError(
                    f"{archive}: unexpected member {quoted(name)}; is this the right archive for the chosen layout?"
                )
            limit = TEXT if name == self.names else self.limit
            if member.size > limit:
                raise InputError(f"{archive}: {quoted(name)} has {member.size} bytes, at most {limit} are allowed")
            yield name, member.read(limit)


def blocks(batches: list[NDArray[np.uint8]]) -> Generator[Block]:
    """The images of batches of colour planes, copied a block at a time, so that the data set is in memory once."""
    for planes in batches:
        for start in range(0, len(planes), AT_ONCE):
            block = planes[start : start + AT_ONCE].reshape(-1, 3, SIDE, SIDE).transpose(0, 2, 3, 1)
            images = np.ascontiguousarray(block)
            yield images, [hashlib.blake2b(image.data, digest_size=16).hexdigest() for image in images]
