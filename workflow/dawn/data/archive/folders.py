"""The layout of fast.ai's cifar10.tgz: PNG files in a folder for each class, below train and test."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dawn.core.cli import InputError
from dawn.data.archive import tar
from dawn.data.archive.dataset import Dataset, Split, class_lines, joined
from dawn.data.archive.png import Png, decoded

WANTED = re.compile(r"[^/]+/((train|test)/[^/]+/[^/]+\.png|labels\.txt)")
LIMIT = 64 << 10  # bytes of one member; a PNG of 32x32 pixels without compression has 3,200


class Listing:
    """The members of one archive: PNGs are handed on, in order, and what their names say is kept."""

    def __init__(self, archive: Path) -> None:
        """Of an archive that is not read yet."""
        self.archive = archive
        self.top: str | None = None
        self.classes: tuple[str, ...] | None = None
        self.splits: list[str] = []  # of each PNG, "train" or "test"
        self.folders: list[str] = []  # of each PNG, the name of its class

    def pngs(self) -> Iterator[Png]:
        """Where each PNG is from, for errors, and its bytes; InputError on a second top folder."""
        for name, data in tar.members(self.archive, WANTED, LIMIT):
            where = f"{self.archive.name}: {name}"
            top, *rest = name.split("/")
            self.top = self.top or top
            if top != self.top:
                raise InputError(f"{where}: is in another top folder than {self.top!r}; one is expected")
            if rest == ["labels.txt"]:
                self.classes = class_lines(data, where)
            else:
                self.splits.append(rest[0])
                self.folders.append(rest[1])
                yield where, data

    def labels(self, classes: Sequence[str]) -> list[int]:
        """The label of each PNG; InputError on a folder that is no class."""
        label_of = {name: label for label, name in enumerate(classes)}
        if strays := set(self.folders) - set(label_of):
            raise InputError(
                f"{self.archive.name}: folder {min(strays)!r} is no class of labels.txt, which has {', '.join(classes)}"
            )
        return [label_of[folder] for folder in self.folders]


def read(archive: Path) -> Dataset:
    """The data set in an archive of this layout, images in its order; InputError on anything else."""
    listing = Listing(archive)
    images = decoded(listing.pngs())
    if listing.classes is None:
        raise InputError(f"{archive.name}: has no labels.txt; is this the right archive for the chosen layout?")
    classes = listing.classes
    labels = np.array(listing.labels(classes), np.uint8)
    splits = np.array(listing.splits, dtype="U5")
    train, test = (
        joined(archive.name, classes, {name: Split(images[splits == name], labels[splits == name])})
        for name in ("train", "test")
    )
    return Dataset(classes, train, test)
