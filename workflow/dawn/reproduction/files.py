"""The files of what is published: of a crate, packed or unpacked, or of a folder of results.

They are somebody else's. Those of a zip are read one by one within limits, never extracted as a whole, and nothing of
them is executed. The results are copied, the rest is only checksummed.
"""

import hashlib
import os
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from dawn.core.cli import InputError, quoted
from dawn.core.files import open_plain, replacing
from dawn.data.archive.tar import Limits
from dawn.data.collection.source import members

DESCRIPTION = "ro-crate-metadata.json"
COPIED = re.compile(rf"{DESCRIPTION}|results/[\w-]+\.(json|yaml)|results/(manifests|seed-\d{{1,10}})/[\w-]+\.\w+")
MEMBERS, NAME = 20_000, 400
LARGEST = 1 << 30  # bytes of a file
TOTAL = 1 << 36  # bytes of all
DENSITY, SMALL = 200, 1 << 26  # bytes of all files for each one of the zip, where they have more than SMALL


@dataclass(frozen=True)
class Sum:
    """Checksums of a file: its SHA-256, and the name that git gives its content."""

    sha256: str
    git: str

    @classmethod
    def of(cls, content: bytes) -> "Sum":
        """Return those of a content."""
        blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False)
        return cls(hashlib.sha256(content).hexdigest(), blob.hexdigest())


def copy(source: Path, folder: Path) -> dict[str, Sum]:
    """Copy the results of a crate or a folder to ``folder``. Return the checksums of all files, by name in a crate.

    Raises an InputError for links, devices, names that lead out, files that are there twice, and too many or too large
    ones.
    """
    if not source.exists():
        raise InputError(f"{source} is not there; name a crate (.zip), or a folder of one or of results")
    sums = {}
    for name, content in folder_files(source) if source.is_dir() else zip_files(source):
        sums[name] = Sum.of(content)
        if COPIED.fullmatch(name):
            with replacing(folder / name) as partial:
                partial.write_bytes(content)
    return sums


def zip_files(source: Path) -> Iterator[tuple[str, bytes]]:
    """The files of a zip: name and content."""
    most = min(TOTAL, max(SMALL, DENSITY * source.stat().st_size))
    for member in members(source, Limits(MEMBERS, NAME, most)):
        if member.size > LARGEST:
            raise too_large(source, member.name, member.size)
        yield member.name.removeprefix("./"), member.read(LARGEST)


def folder_files(source: Path) -> Iterator[tuple[str, bytes]]:
    """The files of an unpacked crate, or those of a folder of results, whose names begin with ``results/``."""
    above = "" if (source / DESCRIPTION).is_file() else "results/"
    limits = Limits(MEMBERS, NAME, TOTAL)
    count, total = 0, 0
    for place, folders, names in os.walk(source):
        folders.sort()
        for name in sorted((*folders, *names)):
            path = Path(place, name)
            kind, size = path.lstat().st_mode, path.lstat().st_size
            shown = above + path.relative_to(source).as_posix()
            if not stat.S_ISREG(kind) and not stat.S_ISDIR(kind):
                raise InputError(f"{source}: {quoted(shown)} is a link or a device; only plain files are read")
            if stat.S_ISDIR(kind) or (above and not COPIED.fullmatch(shown)):  # such as figures and logs
                continue
            count, total = count + 1, total + size
            limits.check(source, count, shown, total)
            if size > LARGEST:
                raise too_large(source, shown, size)
            with open_plain(path) as file:
                yield shown, file.read()


def too_large(source: Path, name: str, size: int) -> InputError:
    """The refusal of a file that no result has."""
    return InputError(f"{source}: {quoted(name)} has {size:,} bytes, at most {LARGEST:,} are read")
