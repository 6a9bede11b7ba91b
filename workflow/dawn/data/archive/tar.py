"""Reading a tar archive member by member, in memory and within limits: nothing is ever extracted to disk.

An archive is somebody else's bytes. Every size that it claims is held against a limit before memory is
spent on it, and it is read to its very end, so that the gzip checksum is proven and nothing follows it.
"""

import re
import tarfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import IO, BinaryIO, cast

from dawn.core.cli import InputError

BLOCK = 1 << 20  # bytes read or inflated at once
BUDGET = 1 << 30  # decompressed bytes of a whole archive; CIFAR-10 has 0.2 GiB
MEMBER = 64 << 20  # bytes of one member
MEMBERS = 200_000  # members of one archive, directories included
HEADER = 16 << 10  # bytes of all the headers that stand before one member
PADDING = 1 << 20  # zero bytes after the end-of-archive mark


class Stream:
    """Decompressed bytes as tarfile reads them: forward only, and no more than headers.

    ``take`` and ``skip`` are for the data of members; ``read``, ``tell`` and ``seek`` are tarfile's.
    """

    def __init__(self, blocks: Iterator[bytes], archive: str) -> None:
        """Over the blocks of an archive, whose name is for errors."""
        self._blocks = blocks
        self._archive = archive
        self._block = memoryview(b"")
        self._received = 0
        self._position = 0
        self.header = 0  # bytes of headers read since the last member
        self.last = b""  # what tarfile read last

    def tell(self) -> int:
        """Bytes from the start of the decompressed archive."""
        return self._position

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes of headers; InputError where one member has more than HEADER of them."""
        self.header += size
        if not 0 <= self.header <= HEADER:
            raise InputError(
                f"{self._archive}: a member's headers take {self.header} bytes, "
                f"at most {HEADER} are allowed; this is no data set"
            )
        self.last = self.take(size)
        return self.last

    def seek(self, position: int) -> None:
        """Move forward to a position."""
        if position < self._position:
            raise tarfile.ReadError("a header points backwards")
        for _ in self._pieces(position - self._position):
            pass

    def take(self, size: int) -> bytes:
        """The next ``size`` bytes, fewer at the end of the archive."""
        return b"".join(self._pieces(size))

    def _pieces(self, size: int) -> Iterator[memoryview]:
        """The next ``size`` bytes without a copy; InputError once the archive exceeds BUDGET."""
        while size > 0:
            if not self._block:
                self._block = memoryview(next(self._blocks, b""))
                self._received += len(self._block)
                if self._received > BUDGET:
                    raise InputError(f"{self._archive}: unpacks to more than {BUDGET} bytes; this is no data set")
                if not self._block:
                    return
            piece, self._block = self._block[:size], self._block[size:]
            self._position += len(piece)
            size -= len(piece)
            yield piece


def members(archive: Path, wanted: re.Pattern[str], limit: int = MEMBER) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of each member whose name ``wanted`` matches in full, in the archive's order.

    Directories and a readme.html are passed over. InputError on any other member, a member larger than
    ``limit`` bytes, a name that is absolute, climbs or comes twice, and on damage of any kind.
    """
    with archive.open("rb") as file:
        stream = Stream(unpacked(file, archive.name), archive.name)
        try:
            with tarfile.TarFile(fileobj=cast(IO[bytes], stream)) as tar:
                yield from _members(tar, stream, archive.name, wanted, limit)
            _end(stream, archive.name)
        except (tarfile.TarError, zlib.error, ValueError, OverflowError, RecursionError) as error:
            raise InputError(f"{archive.name}: is damaged or not a tar archive ({error}); download it again") from error


def unpacked(file: BinaryIO, archive: str) -> Iterator[bytes]:
    """The bytes of a file, or those in a gzip file, in blocks; InputError unless the gzip stream is whole."""
    data = file.read(BLOCK)
    if not data.startswith(b"\x1f\x8b"):
        while data:
            yield data
            data = file.read(BLOCK)
        return
    inflater = zlib.decompressobj(wbits=31)  # gzip, with its checksum
    while not inflater.eof:
        if not data:
            raise InputError(f"{archive}: is truncated, its gzip stream has no end; download it again")
        yield inflater.decompress(data, BLOCK)
        data = inflater.unconsumed_tail or file.read(BLOCK)
    if surplus := inflater.unused_data or data:
        raise InputError(
            f"{archive}: {len(surplus)} or more bytes follow the end of the gzip stream, 0 are expected; "
            "download it again"
        )


def _members(
    tar: tarfile.TarFile, stream: Stream, archive: str, wanted: re.Pattern[str], limit: int
) -> Iterator[tuple[str, bytes]]:
    seen: set[str] = set()
    count = 0
    while (info := tar.next()) is not None:
        tar.members.clear()  # type: ignore[attr-defined]  # tarfile would keep every header in memory
        tar.pax_headers = {}
        stream.header = 0
        count += 1
        if count > MEMBERS:
            raise InputError(f"{archive}: has more than {MEMBERS} members; this is no data set")
        name = _name(info, archive, limit)
        if info.isdir() or PurePosixPath(name).name == "readme.html":
            continue
        if name in seen:
            raise InputError(f"{archive}: {name!r} is there twice, each member is expected once")
        if not wanted.fullmatch(name):
            raise InputError(f"{archive}: unexpected member {name!r}; is this the right archive for the chosen layout?")
        seen.add(name)
        data = stream.take(info.size)
        if len(data) != info.size:
            raise InputError(
                f"{archive}: {name!r} has {len(data)} of its {info.size} bytes; download the archive again"
            )
        yield name, data


def _name(info: tarfile.TarInfo, archive: str, limit: int) -> str:
    """The name of a plain file or directory, without a leading ``./``; InputError on any other member."""
    name = info.name.removeprefix("./")
    if name.startswith("/") or ".." in PurePosixPath(name).parts:
        raise InputError(f"{archive}: {info.name!r} leads out of the archive; only relative names are allowed")
    if not (info.isreg() or info.isdir()) or info.sparse is not None:
        raise InputError(
            f"{archive}: {name!r} is a link, a device or sparse; only plain files and directories are allowed"
        )
    if not 0 <= info.size <= limit:
        raise InputError(f"{archive}: {name!r} has {info.size} bytes, at most {limit} are allowed")
    return name


def _end(stream: Stream, archive: str) -> None:
    """Read to the end of the file; InputError unless the tar has its end mark and only zeros follow."""
    if stream.last.strip(b"\0") or len(stream.last) != tarfile.BLOCKSIZE:
        raise InputError(f"{archive}: is truncated or damaged, the tar has no end mark; download it again")
    rest = stream.take(PADDING + 1)
    if len(rest) > PADDING or rest.strip(b"\0"):
        raise InputError(
            f"{archive}: data follows the end of the tar, where at most {PADDING} zeros are expected; download it again"
        )
