"""A folder or an archive of image files, read twice: once for the names of the files, once for the images."""

import hashlib
import sys
from collections.abc import Generator, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.config.sections import Data
from dawn.core.cli import InputError, quoted
from dawn.data.archive.contents import TEXT, Block, Contents, class_lines
from dawn.data.archive.tar import DATA_SET
from dawn.data.collection.decoding import Decoded, decoded
from dawn.data.collection.listing import Listing, left_out, listing, printable
from dawn.data.collection.source import COLLECTION, contents, members, names
from dawn.data.image_file import MAX_BYTES, MAX_PNG
from dawn.data.stratified import held_out

SHOWN = 200  # faults that are printed
NO_IMAGE = "no image by its name"


def read(source: Path, data: Data) -> Contents:
    """The images of a source, brought to ``data.size``; without it the source is an archive such as fast.ai's.

    InputError on what cannot be used; files that cannot be read are left out where ``data.skip_broken`` is set.
    """
    about: dict[str, Any] = {}
    broken: dict[str, str] = {}
    entries = listing(*names(source), str(source), data.classes) if data.size else fast_ai(source)
    if data.size:
        drawn = {"test_fraction": data.test_fraction, "test_seed": data.test_seed}
        about = {"resize": data.resize} | (drawn if entries.test is None else dict.fromkeys(drawn))
        print(f"{source}: {entries.described()}", *left_out(entries), sep="\n", file=sys.stderr)
    if data.skip_broken:
        broken = unreadable(source, entries, data)
        print(f"left out, since they cannot be read: {len(broken):,} of {len(entries.names):,} images", file=sys.stderr)
        entries = entries.kept(broken)
    test = in_test_split(entries, data.test_fraction, data.test_seed)
    unused = [(name, reason) for name, reason in broken.items()] + [(name, NO_IMAGE) for name in entries.others]
    blocks = images(source, entries, data)
    return Contents(entries.classes, entries.labels, test, entries.names, data.side, blocks, about, unused)


def in_test_split(entries: Listing, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return which images are in the test split, bool (n,): its own, or a fraction of each class that a seed draws."""
    if entries.test is not None:
        return entries.test
    size = round(fraction * len(entries.labels))
    return held_out(entries.labels, entries.classes, size, seed, "data.test_fraction")


def fast_ai(source: Path) -> Listing:
    """The images in an archive whose labels.txt has the classes, and which has no files but those in train and test."""
    files, classes = list[str](), tuple[str, ...]()
    for member in members(source, DATA_SET):
        if not classes and member.name.removeprefix("./").split("/")[1:] == ["labels.txt"]:
            classes = class_lines(member.read(TEXT + 1), f"{source}: {quoted(member.name)}")
        elif member.name.rpartition("/")[2] != "readme.html":
            files.append(member.name)
    if not classes:
        raise InputError(f"{source}: has no labels.txt; is this the right archive for the chosen layout?")
    entries = listing(files, [], str(source), classes, "labels.txt")
    if strays := sorted(set(files) - set(entries.names)):
        raise InputError(
            f"{source}: unexpected member {quoted(strays[0])}; is this the right archive for the chosen layout?"
        )
    if entries.test is None:
        raise InputError(f"{source}: has no folders train and test; is this the right archive for the chosen layout?")
    return entries


def decoded_files(source: Path, entries: Listing, data: Data) -> Iterator[Decoded]:
    """The images of a listing in its order, some at a time, and what cannot be read."""
    limits, most = (COLLECTION, MAX_BYTES) if data.size else (DATA_SET, MAX_PNG)
    return decoded(contents(source, entries.names, most + 1, limits), len(entries.names), data.size, data.resize)


def unreadable(source: Path, entries: Listing, data: Data) -> dict[str, str]:
    """Why files cannot be read, by their names; printed. It costs as much time as reading the images."""
    broken = {name: why for _, _, faults in decoded_files(source, entries, data) for name, why in faults.items()}
    report(source, broken)
    return broken


def report(source: Path, broken: dict[str, str]) -> None:
    """Print why files cannot be read, a line for each of the first."""
    for name, why in list(broken.items())[:SHOWN]:
        print(f"{source}/{printable(name)}: {why}", file=sys.stderr)


def images(source: Path, entries: Listing, data: Data) -> Generator[Block]:
    """The images of a listing in its order; InputError after all of them if some cannot be read."""
    broken: dict[str, str] = {}
    for pixels, digests, faults in decoded_files(source, entries, data):
        broken |= faults
        yield pixels, digests
    if broken:
        report(source, broken)
        raise InputError(
            f"{source}: {len(broken):,} of {len(entries.names):,} images cannot be read; delete or replace them, or "
            "leave them out with data.skip_broken: true"
        )


def checksum(names: Sequence[str], digests: Sequence[str]) -> str:
    """SHA-256 over the names and the checksums of all files, whatever their order."""
    lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted(zip(names, digests, strict=True)))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
