"""Many small PNGs to one array, over a few processes.

A PNG is checked before it is decoded, and all but its pixels is left out: no text, profile or animation
ever reaches the decoder. Pillow holds the interpreter's lock while it decodes 32x32 pixels, so threads are
slower than none; processes are not.
"""

import io
import itertools
import multiprocessing
import struct
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from dawn.core.cli import InputError
from dawn.core.host import cores
from dawn.data.archive.dataset import SIDE

CHUNK = 2000  # PNGs a process decodes at once; who has no more needs no processes
WORKERS = 4  # processes at most: reading the tar keeps no more of them busy
SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = (b"IHDR", b"IDAT", b"IEND")  # chunks; a palette is only a suggestion in an RGB image

Png = tuple[str, bytes]  # where it is from, for errors, and its bytes
Images = NDArray[np.uint8]  # (n, 32, 32, 3)


def decoded(pngs: Iterator[Png]) -> Images:
    """The images of PNGs, uint8 (n, 32, 32, 3), in their order; InputError on one that is not 32x32 RGB."""
    first, second = list(itertools.islice(pngs, CHUNK)), list(itertools.islice(pngs, CHUNK))
    if not second:
        return decode(first)
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(WORKERS, cores()), mp_context=spawn) as pool:
        try:
            return np.concatenate(list(_spread(pool, itertools.chain(first, second, pngs))))
        except BrokenProcessPool as error:
            raise InputError("a process that decodes PNGs was killed; is there too little memory?") from error


def _spread(pool: ProcessPoolExecutor, pngs: Iterator[Png]) -> Iterator[Images]:
    """The images chunk by chunk, in order, with a bounded number of chunks under way."""
    pending: deque[Future[Images]] = deque()
    while chunk := list(itertools.islice(pngs, CHUNK)):
        pending.append(pool.submit(decode, chunk))
        if len(pending) > 2 * WORKERS:
            yield pending.popleft().result()
    while pending:
        yield pending.popleft().result()


def decode(pngs: Sequence[Png]) -> Images:
    """The images of a chunk of PNGs, uint8 (n, 32, 32, 3)."""
    images = np.empty((len(pngs), SIDE, SIDE, 3), np.uint8)
    for image, (where, png) in zip(images, pngs, strict=True):
        try:
            with Image.open(io.BytesIO(stripped(png)), formats=["PNG"]) as opened:
                image[...] = np.asarray(opened)
        except InputError as error:
            raise InputError(f"{where}: {error}") from error
        except (OSError, SyntaxError, ValueError, EOFError, struct.error) as error:
            raise InputError(f"{where}: is a damaged PNG ({error}); download the archive again") from error
    return images


def stripped(png: bytes) -> bytes:
    """The PNG with only the chunks that make its pixels; InputError unless it says 32x32, RGB and 8 bit."""
    if not png.startswith(SIGNATURE) or png[12:16] != b"IHDR" or len(png) < 33:
        raise InputError("is not a PNG")
    width, height, depth, colour, *_, interlaced = struct.unpack(">IIBBBBB", png[16:29])
    if (width, height, depth, colour, interlaced) != (SIDE, SIDE, 8, 2, 0):
        raise InputError(
            f"is a {width}x{height} PNG of bit depth {depth}, colour type {colour}, interlacing "
            f"{interlaced}; {SIDE}x{SIDE}, 8, 2 (RGB), 0 are expected"
        )
    kept, position, kind = [SIGNATURE], len(SIGNATURE), b""
    while position + 12 <= len(png) and kind != b"IEND":
        length, kind = struct.unpack_from(">I4s", png, position)
        end = position + 12 + length
        if kind in NEEDED:
            kept.append(png[position:end])
        position = end
    if kind != b"IEND" or position != len(png):
        raise InputError(f"is truncated or padded, its last chunk ends at byte {position} of {len(png)}")
    return b"".join(kept)
