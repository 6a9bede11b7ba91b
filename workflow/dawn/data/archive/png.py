"""Small PNGs to arrays: each is checked against the specification before a decoder sees any of it.

https://www.w3.org/TR/png-3: chunks and their checksums (5.3), their order (5.6), filtered rows (7.3). Chunks that are
not needed for the pixels, such as texts, profiles and animations, are never interpreted.
"""

import io
import re
import struct
import zlib
from collections.abc import Iterator, Sequence

import numpy as np
from PIL import Image

from dawn.core.cli import InputError, quoted
from dawn.data.archive.contents import SIDE, Bytes

SIGNATURE = b"\x89PNG\r\n\x1a\n"
HEADER = struct.Struct(">IIBBBBB")  # width, height, bit depth, colour type, compression, filter, interlacing
START = struct.Struct(">I4s")  # of a chunk: the length of its content and its type
CHECKSUM = struct.Struct(">I")
ROW = 1 + 3 * SIDE  # bytes: the filter type, 0 to 4, and the pixels
ROWS = SIDE * ROW
LETTERS = {b"IHDR": b"H", b"PLTE": b"P", b"IDAT": b"D", b"IEND": b"E"}  # critical chunks
ORDER = re.compile(rb"H\.*(P\.*)?D+\.*E")  # with a dot for each ancillary chunk


def pixel_rows(png: bytearray) -> bytes:
    """The filtered rows of a 32x32 RGB PNG, ROWS bytes; InputError on any other PNG and on damage."""
    if not png.startswith(SIGNATURE + START.pack(HEADER.size, b"IHDR")):
        raise InputError("is not a PNG")
    kinds, contents = zip(*chunks(png), strict=True)
    width, height, depth, colour, *methods = HEADER.unpack(contents[0])
    if (width, height, depth, colour, *methods) != (SIDE, SIDE, 8, 2, 0, 0, 0):
        raise InputError(
            f"is a {width}x{height} PNG of bit depth {depth}, colour type {colour}, methods {methods}; "
            f"{SIDE}x{SIDE}, 8, 2 (RGB) and [0, 0, 0] are expected"
        )
    letters = (LETTERS.get(kind, b"." if kind.isalpha() and kind[:1].islower() else b"?") for kind in kinds)
    if not ORDER.fullmatch(b"".join(letters)):
        order = b" ".join(kinds).decode("latin-1")
        raise InputError(f"has the chunks {quoted(order)}, an order that the PNG specification does not allow")
    if contents[-1]:
        raise InputError(f"has {len(contents[-1])} bytes in its chunk IEND, an empty IEND is expected")
    return inflated(b"".join(content for kind, content in zip(kinds, contents, strict=True) if kind == b"IDAT"))


def chunks(png: bytearray) -> Iterator[tuple[bytes, bytearray]]:
    """Type and content of each chunk; InputError where one is cut off or its checksum is wrong."""
    position = len(SIGNATURE)
    while position < len(png):
        content = position + START.size
        end = content + START.unpack_from(png, position)[0] if content <= len(png) else content
        if end + CHECKSUM.size > len(png):
            raise InputError(f"is truncated or padded, byte {position} of {len(png)} begins no whole chunk")
        kind = bytes(png[content - 4 : content])
        if zlib.crc32(png[content - 4 : end]) != CHECKSUM.unpack_from(png, end)[0]:
            raise InputError(f"is damaged, the checksum of {quoted(kind.decode('latin-1'))} is wrong")
        yield kind, png[content:end]
        position = end + CHECKSUM.size


def inflated(data: bytes) -> bytes:
    """The rows in the content of the IDAT chunks; InputError unless they are whole, no more and no less."""
    inflater = zlib.decompressobj()
    try:
        rows = inflater.decompress(data, ROWS + 1)
    except zlib.error as error:
        raise InputError(f"is damaged ({quoted(error)})") from error
    if len(rows) > ROWS:
        raise InputError(f"has more than {ROWS} bytes of pixels, as many are expected")
    if not inflater.eof or inflater.unused_data:
        raise InputError(f"is damaged, its {len(data)} bytes of compressed pixels end too early or too late")
    if len(rows) < ROWS:
        raise InputError(f"has {len(rows)} bytes of pixels, {ROWS} are expected")
    if (highest := max(rows[::ROW])) > 4:
        raise InputError(f"has a row of filter type {highest}, 0 to 4 are expected")
    return rows


def decoded(images: Sequence[bytes]) -> Bytes:
    """The images (n, 32, 32, 3) of which these are the filtered rows.

    All of them are decoded as one tall PNG. A black row goes before each image, since a filter adds the row above.
    """
    black = bytes(ROW)
    rows = b"".join(part for image in images for part in (black, image))
    height = len(images) * (SIDE + 1)
    parts = [(b"IHDR", HEADER.pack(SIDE, height, 8, 2, 0, 0, 0)), (b"IDAT", zlib.compress(rows, 0)), (b"IEND", b"")]
    png = SIGNATURE + b"".join(
        START.pack(len(content), kind) + content + CHECKSUM.pack(zlib.crc32(kind + content)) for kind, content in parts
    )
    with Image.open(io.BytesIO(png), formats=["PNG"]) as opened:
        return np.asarray(opened).reshape(-1, SIDE + 1, SIDE, 3)[:, 1:]
