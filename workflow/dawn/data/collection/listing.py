"""From the names of image files to classes and splits: the folder that a file is in is its class."""

from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import PurePosixPath

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, listed, quoted
from dawn.data.archive.contents import check_class
from dawn.data.collection.layout import BY_CLASSES, Layout, Parts, is_split, layout
from dawn.data.collection.walk import SUFFIXES, hidden, is_image

MOST_CLASSES = 1 << 16
SHOWN = 20  # classes in a message


@dataclass(frozen=True)
class Listing:
    """The image files of a source in its order, with the class and the split of each.

    ``labels`` int64 (n,) are positions in ``classes``; ``test`` bool (n,), or None where the source has no split.
    ``others`` are files that are no images, ``without`` folders without images that could have been classes.
    """

    names: tuple[str, ...]
    classes: tuple[str, ...]
    labels: NDArray[np.int64]
    test: NDArray[np.bool_] | None
    others: tuple[str, ...]
    without: tuple[str, ...]
    layout: Layout

    def described(self) -> str:
        """A line of what was taken for what: the classes, how many images each has, and the splits."""
        counts = np.bincount(self.labels, minlength=len(self.classes))
        shown = [f"{printable(name)} ({n:,})" for name, n in zip(self.classes[:SHOWN], counts.tolist(), strict=False)]
        more = [f"{len(self.classes) - SHOWN:,} more"] if len(self.classes) > SHOWN else []
        within = f" in {printable('/'.join(self.layout.shared))}" if self.layout.shared else ""
        folders = sorted(self.layout.splits.items(), key=lambda item: item[0] != "train")
        splits = [f"{split} split {', '.join(map(printable, tops))}" for split, tops in folders]
        return f"classes{within}: {', '.join(shown + more)}; {', '.join(splits) or 'no test split'}"

    def kept(self, broken: Collection[str]) -> "Listing":
        """The listing without some files."""
        keep = np.array([name not in broken for name in self.names])
        names = tuple(name for name in self.names if name not in broken)
        return replace(self, names=names, labels=self.labels[keep], test=None if self.test is None else self.test[keep])


def listing(
    names: Sequence[str],
    folders: Sequence[str],
    source: str,
    expected: Sequence[str] | None = None,
    by: str = "data.classes",
) -> Listing:
    """The listing of a source's files; ``expected`` are its classes in label order, or None for those found, sorted.

    A file is CLASS/.../FILE or SPLIT/CLASS/.../FILE, below any folders that all files share; trainA, trainB, testA and
    testB are the splits of the classes A and B. InputError names the files that are in no class, and those of the
    source's ``folders`` that would be classes without images.
    """
    names = [name for name in names if not hidden(name)]
    images = [name for name in names if is_image(name)]
    if not images:
        raise InputError(f"{source}: has no image files ({', '.join(SUFFIXES)})")
    paths = [PurePosixPath(name).parts for name in images]
    arranged = layout(paths, source, expected)
    classes = class_names(arranged.classes, source, expected, by)
    without = _without_images([PurePosixPath(name).parts for name in folders], names, paths)
    _check_empty(without, arranged, source, expected)
    test = None if arranged.kinds is None else np.array([kind != "train" for kind in arranged.kinds])
    place = {name: label for label, name in enumerate(classes)}
    labels = np.array([place[name] for name in arranged.classes])
    others = tuple(name for name in names if not is_image(name))
    return Listing(tuple(images), classes, labels, test, others, tuple(map("/".join, without)), arranged)


def _without_images(folders: Sequence[Parts], names: Sequence[str], images: Sequence[Parts]) -> list[Parts]:
    """The outermost folders without images, sorted: of ``folders``, and of those of files."""
    inner = {PurePosixPath(name).parts[:-1] for name in names} | {
        part for part in folders if not hidden("/".join(part))
    }
    every = {part[: i + 1] for part in inner for i in range(len(part))}
    shown = {part[: i + 1] for part in {image[:-1] for image in images} for i in range(len(part))} | {()}
    return sorted(part for part in every - shown if part[:-1] in shown)


def _check_empty(without: Sequence[Parts], arranged: Layout, source: str, expected: Sequence[str] | None) -> None:
    """InputError if a folder without images would be a class or a split with them."""
    above = [arranged.shared[:i] for i in range(len(arranged.shared) + 1)]
    splits = [part for part in without if part[:-1] in above and is_split(part[-1])]
    classes = [part for part in without if part[:-1] in arranged.around] if expected is None else []
    if empty := splits or classes:
        raise InputError(
            f"{source}: no images in {listed(['/'.join(part) for part in empty])}, which would be "
            f"{'a split' if splits else 'a class'}; put images into it, move it away, {BY_CLASSES}"
        )


def class_names(names: Sequence[str], source: str, expected: Sequence[str] | None, by: str) -> tuple[str, ...]:
    """The classes in label order; InputError unless there are 2 or more, of printable names, or as expected."""
    classes = sorted(set(names))
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


def left_out(entries: Listing) -> list[str]:
    """Lines about files that are no images and folders that hold none."""
    kinds = Counter(PurePosixPath(name).suffix.lower() or "no suffix" for name in entries.others)
    shown = ", ".join(f"{count:,} x {printable(kind)}" for kind, count in kinds.most_common(5))
    lines = [f"left out, since no image: {shown}"] if kinds else []
    return lines + ([f"folders without images: {listed(entries.without)}"] if entries.without else [])


def printable(name: str) -> str:
    """A file's name in one line: as it is, or quoted if it has characters that are not printed."""
    return name if name.isprintable() else repr(name)
