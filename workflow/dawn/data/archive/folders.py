"""The layout of fast.ai's cifar10.tgz: PNG files in a folder for each class, below train and test."""

import itertools
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from dawn.core.cli import InputError, quoted
from dawn.data.archive import tar
from dawn.data.archive.contents import BLOCK, Bytes, Contents, Split, class_lines, joined
from dawn.data.archive.png import decoded, pixel_rows

MEMBERS = re.compile(r"[^/]+/((train|test)/[^/]+/[^/]+\.png|labels\.txt)")
LIMIT = 64 << 10  # bytes of one member; a PNG of 32x32 pixels without compression has 3,200
SPLITS = ("train", "test")


class Listing:
    """The PNGs of one archive, in order: their pixels are handed on, what their names say is kept."""

    def __init__(self, archive: Path) -> None:
        """Of an archive that is not read yet."""
        self.archive = archive
        self.top: str | None = None
        self.classes: tuple[str, ...] | None = None
        self.folders: dict[str, int] = {}  # by name, in the order in which they are met
        self.splits: list[int] = []  # of each image, its place in SPLITS
        self.images: list[int] = []  # of each image, its folder

    def pixels(self) -> Iterator[bytes]:
        """The filtered rows of each PNG; InputError on a PNG that is none and on a second top folder."""
        for name, data in tar.members(self.archive, MEMBERS, LIMIT):
            where = f"{self.archive.name}: {quoted(name)}"
            top, *rest = name.split("/")
            self.top = self.top or top
            if top != self.top:
                raise InputError(f"{where}: is in another top folder than {quoted(self.top)}; one is expected")
            if rest == ["labels.txt"]:
                self.classes = class_lines(data, where)
                continue
            try:
                rows = pixel_rows(data)
            except InputError as error:
                raise InputError(f"{where}: {error}; download the archive again") from error
            self.splits.append(SPLITS.index(rest[0]))
            self.images.append(self.folders.setdefault(rest[1], len(self.folders)))
            yield rows

    def labels(self, classes: Sequence[str]) -> Bytes:
        """The label of each image (n,); InputError on a folder that is no class."""
        if strays := set(self.folders) - set(classes):
            raise InputError(
                f"{self.archive.name}: folder {quoted(min(strays))} is no class of labels.txt, "
                f"which has {quoted(', '.join(classes))}"
            )
        label_of_folder = np.array([classes.index(folder) for folder in self.folders], np.uint8)
        return label_of_folder[np.array(self.images, np.int64)]


def read(archive: Path) -> Contents:
    """The contents of an archive of this layout, images in its order; InputError on anything else."""
    listing = Listing(archive)
    pixels = listing.pixels()
    parts: tuple[list[Bytes], ...] = ([], [])
    while block := list(itertools.islice(pixels, BLOCK)):
        images, splits = decoded(block), np.array(listing.splits[-len(block) :])
        for split, found in enumerate(parts):
            found.append(images[splits == split])
    if listing.classes is None:
        raise InputError(f"{archive.name}: has no labels.txt; is this the right archive for the chosen layout?")
    labels, splits = listing.labels(listing.classes), np.array(listing.splits, np.uint8)
    train, test = (
        joined(archive.name, listing.classes, {name: Split(tuple(parts[split]), labels[splits == split])})
        for split, name in enumerate(SPLITS)
    )
    return Contents(listing.classes, train, test)
