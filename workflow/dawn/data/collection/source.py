"""Where image files come from: a folder, a tar or a zip. They are read one by one, and nothing is extracted to disk."""

import math
import zipfile
from collections import deque
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from dawn.core.cli import InputError, quoted
from dawn.data.archive import tar
from dawn.data.archive.tar import Limits, Member

COLLECTION = Limits(members=5_000_000, name=4096, total=math.inf)  # of people's own images

File = tuple[str, bytes | Path]  # its name in the source, and its bytes or where they are


def names(source: Path, limits: Limits = COLLECTION) -> list[str]:
    """The relative paths of all files in a folder or an archive, in the order in which ``contents`` reads them."""
    if not source.is_dir():
        return [member.name for member in members(source, limits)]
    found = sorted(path.relative_to(source).as_posix() for path in source.rglob("*") if path.is_file())
    if len(found) > limits.members:
        raise InputError(f"{source}: has {len(found):,} files, at most {limits.members:,} are allowed")
    return found


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


def members(source: Path, limits: Limits) -> Iterator[Member]:
    """The files of a zip or a tar in its order; InputError as of ``tar.members``."""
    if not zipfile.is_zipfile(source):
        yield from tar.members(source, limits)
        return
    with tar.damage(source), zipfile.ZipFile(source) as archive:
        unique: set[str] = set()
        total = 0
        for count, info in enumerate(archive.infolist(), 1):
            total += info.file_size
            limits.check(source, count, info.filename, total)
            if not info.is_dir():
                tar.add(info.filename, unique, source)
                yield Member(info.filename, info.file_size, partial(unzipped, source, archive, info))


def unzipped(source: Path, archive: zipfile.ZipFile, info: zipfile.ZipInfo, size: int) -> bytes:
    """At most ``size`` bytes of a file in a zip."""
    with tar.damage(source), archive.open(info) as file:
        return file.read(size)
