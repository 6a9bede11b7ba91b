"""From the names of image files to classes and splits: the folder that a file is in is its class."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, quoted
from dawn.data.archive.contents import check_class
from dawn.data.image_file import SUFFIXES

TRAIN, TEST, VALIDATION = ("train", "training"), ("test",), ("val", "valid", "validation")
SPLITS = {folder: names[0] for names in (TRAIN, TEST, VALIDATION) for folder in names}
DOMAINS = {split + domain: (split, domain) for split in ("train", "test") for domain in "AB"}  # CycleGAN's folders
MOST_CLASSES = 1 << 16
SHOWN = 20  # faults in a message


@dataclass(frozen=True)
class Listing:
    """The image files of a source in its order, with the class and the split of each.

    ``labels`` int64 (n,) are positions in ``classes``; ``test`` bool (n,), or None where the source has no split.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    test: NDArray[np.bool_] | None
    others: tuple[str, ...]  # files that are no images, which are left out


def listing(
    names: Sequence[str], source: str, expected: Sequence[str] | None = None, by: str = "data.classes"
) -> Listing:
    """The listing of a source's files; ``expected`` are its classes in label order, or None for those found, sorted.

    A file is CLASS/.../FILE or SPLIT/CLASS/.../FILE, below any folders that all files share; trainA, trainB, testA and
    testB are the splits of the classes A and B. InputError names the files that are in no class.
    """
    names = [name for name in names if not _hidden(name)]
    images = [name for name in names if PurePosixPath(name).suffix.lower() in SUFFIXES]
    if not images:
        raise InputError(f"{source}: has no image files ({', '.join(SUFFIXES)})")
    parts = _below_shared([PurePosixPath(name).parts for name in images])
    if all(part[0] in DOMAINS for part in parts):
        parts = [(*DOMAINS[part[0]], *part[1:]) for part in parts]
    split = all(part[0].lower() in SPLITS and len(part) > 2 for part in parts)
    if split and len({SPLITS[part[0].lower()] for part in parts}) > 2:
        raise InputError(
            f"{source}: has a test and a validation split; delete one (data.holdout draws a validation split)"
        )
    strays = [name for name, part in zip(images, parts, strict=True) if len(part) < 2]
    if strays:
        raise InputError(
            f"{source}: in no class folder: {faults(strays)}; each image must be in a folder named as its class"
        )
    found = [part[1] if split else part[0] for part in parts]
    classes = class_names(found, source, expected, by)
    test = np.array([SPLITS[part[0].lower()] != "train" for part in parts]) if split else None
    place = {name: label for label, name in enumerate(classes)}
    taken = set(images)
    others = tuple(name for name in names if name not in taken)
    return Listing(tuple(images), classes, np.array([place[name] for name in found]), test, others)


def _hidden(name: str) -> bool:
    """Whether a file is hidden, or among those that macOS adds to an archive."""
    return any((part.startswith(".") and part != ".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _below_shared(parts: list[tuple[str, ...]]) -> list[tuple[str, ...]]:
    """The parts of the paths below the folders that all of them share, unless these are a split or a single class."""
    while len({part[0] for part in parts}) == 1 and all(len(part) > 2 for part in parts):
        parts = [part[1:] for part in parts]
    return parts


def class_names(found: Sequence[str], source: str, expected: Sequence[str] | None, by: str) -> tuple[str, ...]:
    """The classes in label order; InputError unless there are 2 or more, of printable names, or as expected."""
    classes = sorted(set(found))
    if expected is None and not 2 <= len(classes) <= MOST_CLASSES:
        raise InputError(
            f"{source}: has {len(classes)} class folders ({quoted(classes[0])}), 2 to {MOST_CLASSES} are needed"
        )
    for name in classes:
        check_class(name, f"{source}: folder")
    if expected is not None and set(expected) != set(classes):
        raise InputError(
            f"{source}: has classes {quoted(', '.join(classes))}; {by} expects {quoted(', '.join(expected))}"
        )
    return tuple(expected) if expected is not None else tuple(classes)


def faults(lines: Sequence[str]) -> str:
    """The first of many, quoted, and how many more there are."""
    more = f" and {len(lines) - SHOWN:,} more" if len(lines) > SHOWN else ""
    return ", ".join(quoted(line) for line in lines[:SHOWN]) + more


def left_out(others: Sequence[str]) -> str:
    """A line about the files that are no images."""
    kinds = Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in others)
    shown = ", ".join(f"{count:,} x {printable(kind)}" for kind, count in kinds.most_common(5))
    return f"left out, since no image: {shown}"


def printable(name: str) -> str:
    """A file's name in one line: as it is, or quoted if it has characters that are not printed."""
    return name if name.isprintable() else repr(name)
