"""Reading a tar archive member by member, in memory and within limits: nothing is ever extracted to disk.

An archive is somebody else's bytes. Every size that it claims is held against a limit before memory is spent on it, and
it is read to its very end, so that its checksum is proven and nothing follows it. What tarfile's filter ``data`` would
not extract, names that lead out of the archive, links there and devices, is refused here, with all other links.
"""

import bz2
import gzip
import io
import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import IO, Any, cast

from dawn.core.cli import InputError, quoted
from dawn.core.files import open_plain

HEADERS = 16 << 10  # bytes of all the headers that stand before one member
PADDING = 1 << 20  # zero bytes after the end-of-archive mark
BUFFER = 1 << 20  # bytes that are decompressed at once
COMPRESSED: dict[bytes, tuple[str, Callable[[Any], Any]]] = {  # by its first bytes: media type, what opens it
    b"\x1f\x8b": ("application/gzip", lambda file: gzip.GzipFile(fileobj=file)),
    b"BZh": ("application/x-bzip2", bz2.BZ2File),
    b"\xfd7zXZ\0": ("application/x-xz", lzma.LZMAFile),
    b"]\0\0": ("application/x-lzma", lzma.LZMAFile),  # the older format, .lzma
}
# what readers of archives and decompressors raise on damage; RuntimeError is zipfile's, of what it cannot decompress
DAMAGE = (
    tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, OverflowError, RuntimeError,
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What an archive may have: members, directories included; characters of a name; decompressed bytes."""

    members: int
    name: int
    total: float

    def check(self, archive: Path, count: int, name: str, end: int) -> None:
        """InputError unless member number ``count``, whose data ends at byte ``end``, is within the limits."""
        if count > self.members:
            raise InputError(f"{archive}: has more than {self.members} members; this is no data set")
        if end > self.total:
            raise InputError(f"{archive}: unpacks to more than {self.total} bytes; this is no data set")
        if len(name) > self.name:
            raise InputError(f"{archive}: the name {quoted(name)} is too long, {self.name} characters are allowed")
        if name.startswith("/") or ".." in name.split("/"):
            raise InputError(f"{archive}: {quoted(name)} leads out of the archive; only relative names are allowed")


DATA_SET = Limits(members=100_000, name=200, total=1 << 30)  # CIFAR-10 has 0.2 GiB, fast.ai's archive 60,024 members


@dataclass(frozen=True)
class Member:
    """A file in an archive. ``read(n)`` gives at most n bytes of it, once, before the next member is taken."""

    name: str
    size: int
    read: Callable[[int], bytes]


class Headers:
    """A file as tarfile reads it: only headers, and no more than HEADERS bytes of them before one member."""

    def __init__(self, file: IO[bytes]) -> None:
        self.file = file
        self.tell, self.seek = file.tell, file.seek
        self.count = 0
        self.last = b""  # what was read last

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes."""
        self.count += size
        if size < 0 or self.count > HEADERS:
            raise tarfile.ReadError(f"a member's headers take {self.count} bytes, at most {HEADERS} are allowed")
        self.last = self.file.read(size)
        return self.last


def members(archive: Path, limits: Limits, folders: list[str] | None = None) -> Iterator[Member]:
    """The plain files of a tar, compressed or not, in its order; appends to ``folders`` its directories.

    InputError on a member that is neither a plain file nor a directory, a name that is absolute, climbs or comes twice,
    and on damage of any kind.
    """
    with damage(archive), open_plain(archive) as raw, decompressed(raw) as file:
        headers = Headers(file)
        with tarfile.TarFile(fileobj=cast(IO[bytes], headers)) as tar:
            names, count = set[str](), 0
            while (info := tar.next()) is not None:
                tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header in memory
                tar.pax_headers = {}
                headers.count = 0
                count += 1
                if not (info.isreg() or info.isdir()) or info.sparse is not None or info.size < 0:
                    raise no_plain_file(archive, info.name)
                limits.check(archive, count, info.name, info.offset_data + info.size)
                if info.isreg():
                    add(info.name, names, archive)
                    yield Member(info.name, info.size, partial(_read, archive, file, info))
                elif folders is not None:
                    folders.append(info.name.removeprefix("./"))
        _check_end(archive, file, headers.last)


def no_plain_file(archive: Path, name: str) -> InputError:
    """The refusal of a member that is neither a plain file nor a directory."""
    return InputError(
        f"{archive}: {quoted(name)} is a link, a device, sparse or of negative size; only plain files and directories "
        "are allowed; pack it anew, with what links point to in their place (tar --dereference --hard-dereference)"
    )


def decompressed(file: IO[bytes]) -> IO[bytes]:
    """The file itself, or what is in it if it is compressed."""
    start = file.read(6)
    file.seek(0)
    for magic, (_, opened) in COMPRESSED.items():
        if start.startswith(magic):
            return cast(IO[bytes], io.BufferedReader(opened(file), BUFFER))
    return file


def add(name: str, names: set[str], archive: Path) -> None:
    """Add a name to those before it; InputError if it is among them, with or without ``./`` before it."""
    plain = name.removeprefix("./")
    if plain in names:
        raise InputError(f"{archive}: {quoted(plain)} is there twice, each file is expected once; pack it anew")
    names.add(plain)


def _read(archive: Path, file: IO[bytes], info: tarfile.TarInfo, size: int) -> bytes:
    """At most ``size`` bytes of the member whose data comes next in the file."""
    size = min(size, info.size)
    with damage(archive):
        data = file.read(size)
    if len(data) != size:
        raise InputError(
            f"{archive}: {quoted(info.name)} has {len(data)} of its {info.size} bytes; download the archive again"
        )
    return data


def _check_end(archive: Path, file: IO[bytes], last: bytes) -> None:
    """Read to the end of the file; InputError unless the tar has its end mark and only zeros follow."""
    if last.strip(b"\0") or len(last) != tarfile.BLOCKSIZE:
        raise InputError(f"{archive}: is truncated or damaged, the tar has no end mark; download it again")
    rest = file.read(PADDING + 1)
    if len(rest) > PADDING or rest.strip(b"\0"):
        raise InputError(
            f"{archive}: data follows the end of the tar, where at most {PADDING} zeros are expected; download it again"
        )


@contextmanager
def damage(archive: Path) -> Iterator[None]:
    """InputError in place of what a reader of archives raises on damage."""
    try:
        yield
    except (*DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:  # of the file system
            raise
        raise InputError(
            f"{archive}: is no whole tar or zip archive ({quoted(error, 200)}); pack or download it again"
        ) from error
