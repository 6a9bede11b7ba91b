"""Where image files come from: a folder, a tar or a zip. They are read one by one, and nothing is extracted to disk."""

import math
import stat
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from dawn.core.cli import InputError, quoted
from dawn.core.files import open_plain
from dawn.data.archive import tar
from dawn.data.archive.tar import Limits, Member
from dawn.data.collection.walk import walk

COLLECTION = Limits(members=5_000_000, name=4096, total=math.inf)  # of people's own images

File = tuple[str, bytes | Path]  # its name in the source, and its bytes or where they are


def check(source: Path) -> None:
    """InputError unless a source is a folder or a file that can be read; OSError if it is a FIFO or a device."""
    if not source.exists():
        raise InputError(f"{source} is not there; name a folder of images, or a tar or zip of one")
    if not source.is_dir():
        open_plain(source).close()


def names(source: Path, limits: Limits = COLLECTION) -> tuple[list[str], list[str]]:
    """The relative paths of all files of a folder or an archive, in the order of ``contents``, and of its folders.

    The folders of an archive are those that it names.
    """
    check(source)
    if source.is_dir():
        files, folders = walk(source)
        if len(files) > limits.members:
            raise InputError(f"{source}: has {len(files):,} files, at most {limits.members:,} are allowed")
        return list(files), folders
    folders = []
    return [member.name for member in members(source, limits, folders)], folders


def contents(source: Path, wanted: Sequence[str], size: int, limits: Limits = COLLECTION) -> Iterator[File]:
    """The wanted files of a source, in its order: paths in a folder, at most ``size`` bytes each of an archive."""
    if source.is_dir():
        yield from ((name, source / name) for name in wanted)
        return
    waiting = deque(wanted)
    for member in members(source, limits):
        if waiting and member.name == waiting[0]:
            yield waiting.popleft(), member.read(size)
    if waiting:
        raise InputError(f"{source}: changed while it was read, {quoted(waiting[0])} is not there; run the step again")


def media_type(source: Path) -> str | None:
    """Return how an archive is packed; None for a folder."""
    if source.is_dir():
        return None
    if zipfile.is_zipfile(source):
        return "application/zip"
    with source.open("rb") as file:
        head = file.read(8)
    return next((kind for magic, (kind, _) in tar.COMPRESSED.items() if head.startswith(magic)), "application/x-tar")


def members(source: Path, limits: Limits, folders: list[str] | None = None) -> Iterator[Member]:
    """The files of a zip or a tar in its order; see ``tar.members``."""
    if not zipfile.is_zipfile(source):
        yield from tar.members(source, limits, folders)
        return
    with tar.damage(source), zipfile.ZipFile(source) as archive:
        unique: set[str] = set()
        total = 0
        for count, info in enumerate(archive.infolist(), 1):
            total += info.file_size
            name = info.filename.replace("\\", "/")  # which some programs of Windows write
            limits.check(source, count, name, total)
            if stat.S_IFMT(info.external_attr >> 16) not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise tar.no_plain_file(source, name)
            if not name.endswith("/"):
                tar.add(name, unique, source)
                yield Member(name, info.file_size, partial(unzipped, source, archive, info))
            elif folders is not None:
                folders.append(name.strip("/"))


def unzipped(source: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    """At most ``size`` bytes of a file in a zip."""
    with tar.damage(source), archive.open(info) as file:
        return file.read(size)
