"""Reading a tar archive member by member, in memory and within limits: nothing is ever extracted to disk.

An archive is somebody else's bytes. Every size that it claims is held against a limit before memory is
spent on it, and it is read to its very end, so that the gzip checksum is proven and nothing follows it.
"""

import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, cast

from dawn.core.cli import InputError, quoted
from dawn.data.archive.stream import Stream, unpacked

MEMBER = 64 << 20  # bytes of one member
MEMBERS = 100_000  # members of one archive, directories included; fast.ai's has 60,024
NAME = 200  # characters of a member's name
PADDING = 1 << 20  # zero bytes after the end-of-archive mark


def members(archive: Path, pattern: re.Pattern[str], limit: int = MEMBER) -> Iterator[tuple[str, bytearray]]:
    """Name and bytes of each member whose name ``pattern`` matches in full, in the archive's order.

    Directories and a readme.html are passed over. InputError on any other member, a member larger than
    ``limit`` bytes, a name that is absolute, climbs or comes twice, and on damage of any kind.
    """
    with archive.open("rb") as file:
        stream = Stream(unpacked(file, archive.name), archive.name)
        try:
            with tarfile.TarFile(fileobj=cast(IO[bytes], stream)) as tar:
                yield from _members(tar, stream, archive.name, pattern, limit)
            _check_end(stream, archive.name)
        except (tarfile.TarError, zlib.error, ValueError, OverflowError, RecursionError) as error:
            raise InputError(
                f"{archive.name}: is damaged or not a tar archive ({quoted(error)}); download it again"
            ) from error


def _members(
    tar: tarfile.TarFile, stream: Stream, archive: str, pattern: re.Pattern[str], limit: int
) -> Iterator[tuple[str, bytearray]]:
    seen: set[str] = set()
    for name, info in _checked(tar, stream, archive, limit):
        if info.isdir() or name.rpartition("/")[2] == "readme.html":
            continue
        if name in seen:
            raise InputError(f"{archive}: {quoted(name)} is there twice, each member is expected once")
        if not pattern.fullmatch(name):
            raise InputError(
                f"{archive}: unexpected member {quoted(name)}; is this the right archive for the chosen layout?"
            )
        seen.add(name)
        data = stream.take(info.size)
        if len(data) != info.size:
            raise InputError(
                f"{archive}: {quoted(name)} has {len(data)} of its {info.size} bytes; download the archive again"
            )
        yield name, data


def _checked(tar: tarfile.TarFile, stream: Stream, archive: str, limit: int) -> Iterator[tuple[str, tarfile.TarInfo]]:
    """Each header with its member's name, proven to be a plain file or directory within the limits."""
    count = 0
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header in memory
        tar.pax_headers = {}
        stream.headers = 0
        count += 1
        if count > MEMBERS:
            raise InputError(f"{archive}: has more than {MEMBERS} members; this is no data set")
        yield _name(info, archive, limit), info


def _name(info: tarfile.TarInfo, archive: str, limit: int) -> str:
    """The name of a plain file or directory, without a leading ``./``; InputError on any other member."""
    name = info.name.removeprefix("./")
    if len(name) > NAME:
        raise InputError(f"{archive}: the name {quoted(name)} is too long, at most {NAME} characters are allowed")
    if name.startswith("/") or ".." in name.split("/"):
        raise InputError(f"{archive}: {quoted(name)} leads out of the archive; only relative names are allowed")
    if not (info.isreg() or info.isdir()) or info.sparse is not None:
        raise InputError(
            f"{archive}: {quoted(name)} is a link, a device or sparse; only plain files and directories are allowed"
        )
    if not 0 <= info.size <= limit:
        raise InputError(f"{archive}: {quoted(name)} has {info.size} bytes, at most {limit} are allowed")
    return name


def _check_end(stream: Stream, archive: str) -> None:
    """Read to the end of the file; InputError unless the tar has its end mark and only zeros follow."""
    if stream.last.strip(b"\0") or len(stream.last) != tarfile.BLOCKSIZE:
        raise InputError(f"{archive}: is truncated or damaged, the tar has no end mark; download it again")
    rest = stream.take(PADDING + 1)
    if len(rest) > PADDING or rest.strip(b"\0"):
        raise InputError(
            f"{archive}: data follows the end of the tar, where at most {PADDING} zeros are expected; download it again"
        )
