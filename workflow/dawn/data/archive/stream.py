"""The decompressed bytes of an archive, read forward once and within limits."""

import tarfile
import zlib
from collections.abc import Iterator
from typing import BinaryIO

from dawn.core.cli import InputError

BLOCK = 1 << 20  # bytes read or inflated at once
BUDGET = 1 << 30  # decompressed bytes of a whole archive; CIFAR-10 has 0.2 GiB
HEADERS = 16 << 10  # bytes of all the headers that stand before one member


class Stream:
    """Decompressed bytes as tarfile reads them: forward only, and no more than headers.

    ``take`` is for the data of members; ``read``, ``tell`` and ``seek`` are tarfile's.
    """

    def __init__(self, blocks: Iterator[bytes], archive: str) -> None:
        """Over the blocks of an archive, whose name is for errors."""
        self._blocks = blocks
        self._archive = archive
        self._block = memoryview(b"")
        self._received = 0
        self._position = 0
        self.headers = 0  # bytes of headers read since the last member
        self.last = b""  # what tarfile read last

    def tell(self) -> int:
        """Bytes from the start of the decompressed archive."""
        return self._position

    def read(self, size: int) -> bytes:
        """At most ``size`` bytes of headers; InputError where one member has more than HEADERS of them."""
        self.headers += size
        if not 0 <= self.headers <= HEADERS:
            raise InputError(
                f"{self._archive}: a member's headers take {self.headers} bytes, "
                f"at most {HEADERS} are allowed; this is no data set"
            )
        self.last = bytes(self.take(size))
        return self.last

    def seek(self, position: int) -> None:
        """Move forward to a position."""
        if position < self._position:
            raise tarfile.ReadError("a header points backwards")
        for _ in self._pieces(position - self._position):
            pass

    def take(self, size: int) -> bytearray:
        """The next ``size`` bytes, fewer at the end of the archive."""
        taken = bytearray()  # grows piece by piece, so that only what is really there takes memory
        for piece in self._pieces(size):
            taken += piece
        return taken

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
