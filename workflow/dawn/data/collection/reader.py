"""A folder or an archive of image files, read twice: once for the names of the files, once for the images."""

import hashlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from dawn.config.sections import Data
from dawn.core.cli import InputError, quoted
from dawn.data.archive.contents import TEXT, Block, Contents, class_lines
from dawn.data.archive.tar import DATA_SET
from dawn.data.collection.decoding import decoded
from dawn.data.collection.listing import Listing, left_out, listing
from dawn.data.collection.source import COLLECTION, contents, members, names
from dawn.data.image_file import MAX_BYTES, MAX_PNG
from dawn.data.stratified import held_out

SHOWN = 200  # faults that are printed


def read(source: Path, data: Data) -> Contents:
    """The images of a source, brought to ``data.size``; without it the source is an archive such as fast.ai's.

    InputError on what cannot be used.
    """
    about: dict[str, Any] = {}
    found = listing(names(source), str(source), data.classes) if data.size else fast_ai(source)
    test = found.test
    if data.size:
        drawn = {"test_fraction": data.test_fraction, "test_seed": data.test_seed}
        about = {"resize": data.resize} | (drawn if test is None else dict.fromkeys(drawn))
        if found.others:
            print(left_out(found.others), file=sys.stderr)
    if test is None:
        size = round(data.test_fraction * len(found.labels))
        test = held_out(found.labels, len(found.classes), size, data.test_seed, "data.test_fraction")
    return Contents(found.classes, found.labels, test, found.names, data.side, images(source, found, data), about)


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
    found = listing(files, str(source), classes, "labels.txt")
    if strays := sorted(set(files) - set(found.names)):
        raise InputError(
            f"{source}: unexpected member {quoted(strays[0])}; is this the right archive for the chosen layout?"
        )
    if found.test is None:
        raise InputError(f"{source}: has no folders train and test; is this the right archive for the chosen layout?")
    return found


def images(source: Path, found: Listing, data: Data) -> Iterator[Block]:
    """The images of a listing in its order; InputError after all of them if some cannot be read."""
    limits, most = (COLLECTION, MAX_BYTES) if data.size else (DATA_SET, MAX_PNG)
    files, count = contents(source, found.names, most + 1, limits), len(found.names)
    lines: list[str] = []
    for pixels, digests, faults in decoded(files, count, data.size, data.resize):
        lines += faults
        yield pixels, digests
    if lines:
        print(*(f"{source}/{line}" for line in lines[:SHOWN]), sep="\n", file=sys.stderr)
        raise InputError(f"{source}: {len(lines):,} of {count:,} images cannot be read; delete or replace them")


def checksum(names: Sequence[str], digests: Sequence[str]) -> str:
    """SHA-256 over the names and the checksums of all files, whatever their order."""
    lines = "".join(f"{name}\0{digest}\n" for name, digest in sorted(zip(names, digests, strict=True)))
    return hashlib.sha256(lines.encode("utf-8", "surrogateescape")).hexdigest()
