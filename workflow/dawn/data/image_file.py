"""One image file as an RGB array of one size, decoded within limits, whoever wrote the file."""

import io
import os
import warnings
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
from numpy.typing import NDArray
from PIL import Image, UnidentifiedImageError
from PIL.ExifTags import Base
from PIL.Image import Transpose

from dawn.config.types import Resize
from dawn.core import out_of_memory
from dawn.core.cli import InputError
from dawn.core.files import open_plain

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "AVIF")  # of several images the first; and HEIC
MAX_BYTES = 64 << 20  # of a file
MAX_PNG = 64 << 10  # bytes of a PNG that is not scaled; one of 32x32 pixels without compression has 3,200
MAX_PIXELS = 64 << 20  # of an image; 256 MiB while it is decoded
MAX_SIDE = 65_535  # pixels; what a JPEG can have
EXACT = 16 << 20  # pixels up to which an image is scaled in one step; a larger one is reduced first, to save memory
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit only warns; ``MAX_PIXELS`` refuses

T = TypeVar("T")
SIGNATURE = b"\x89PNG\r\n\x1a\n"
TURNS = {
    2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM, 5: Transpose.TRANSPOSE,
    6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
}  # fmt: skip


def read_image(source: Path | bytes, size: int, resize: Resize) -> NDArray[np.uint8]:
    """The image at ``size`` x ``size`` pixels, uint8 (size, size, 3); InputError, without the path, if it has none.

    Turned as its EXIF orientation says; transparent parts are put on white; grey is three equal channels; 16 bits
    are rounded to 8. crop: the largest square in the middle, scaled. stretch: the whole image, scaled to a square.
    Scaled by Pillow's bilinear filter, which averages where an image shrinks.
    """
    return _read(source, lambda file: _pixels(file, size, resize))


def read_png(data: bytes, side: int) -> NDArray[np.uint8]:
    """The pixels of a PNG of this side in 8-bit RGB whose checksums are right, uint8 (side, side, 3); else InputError.

    What it says of colours, transparency and orientation is not used.
    """
    if len(data) > MAX_PNG:
        raise InputError(f"has more than {MAX_PNG:,} bytes")
    with decoding():
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            if image.format != "PNG" or image.size != (side, side) or image.tile[0].args != "RGB":
                raise InputError(
                    f"is a {image.width}x{image.height} {image.format} in mode {image.mode}; {side}x{side} PNGs "
                    "in 8-bit RGB are expected, or set data.size, to which images of any kind are brought"
                )
            image.verify()
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            return np.asarray(image)


def read_size(source: Path | bytes) -> tuple[int, int]:
    """Width and height in pixels, from the header of an image; InputError, without the path, if it has none."""
    return _read(source, lambda file: _opened(file).size)


def _read(source: Path | bytes, read: Callable[[BinaryIO], T]) -> T:
    """Return what ``read`` makes of an image file, of a PNG without its metadata where that is damaged."""
    with decoding(), opened(source) as file:
        try:
            return read(file)
        except InputError:  # it says already what is wrong
            raise
        except Exception:  # a damaged chunk that is not needed makes Pillow refuse a whole PNG
            file.seek(0)
            data = file.read()
            if not data.startswith(SIGNATURE) or (core := _without_metadata(data)) == data:
                raise
        return read(io.BytesIO(core))


@contextmanager
def decoding() -> Iterator[None]:
    """InputError in place of what a decoder raises on a file that is no image or damaged."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # Pillow warns of odd metadata, which is not used
            yield
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(f"is no image of a known format; {', '.join(FORMATS)} and HEIC can be read") from error
    except Exception as error:  # decoders of a damaged file raise whatever it leads them to
        out_of_memory.pass_on(error)
        if isinstance(error, OSError) and error.errno is not None:  # of the file system
            raise InputError(f"cannot be read ({error.strerror})") from error
        raise InputError(f"is a damaged image ({' '.join(str(error).split()) or type(error).__name__})") from error


def opened(source: Path | bytes) -> BinaryIO:
    """The bytes of an image file to read; InputError where they are too many."""
    file = io.BytesIO(source) if isinstance(source, bytes) else open_plain(source)
    size = file.seek(0, os.SEEK_END)
    file.seek(0)
    if size <= MAX_BYTES:
        return file
    file.close()
    raise InputError(f"has {size:,} bytes, at most {MAX_BYTES:,} are allowed")


def _opened(file: BinaryIO) -> Image.Image:
    """The image in a file, of which only the header is read; InputError where it has too many pixels."""
    start = file.read(12)
    file.seek(0)
    formats: tuple[str, ...] = FORMATS
    if start[4:8] == b"ftyp" and start[8:12] not in (b"avif", b"avis"):
        from pillow_heif import register_heif_opener

        register_heif_opener(thumbnails=False, decode_threads=1)
        formats = ("AVIF", "HEIF")  # the two have a brand in common
    image: Image.Image = Image.open(file, formats=formats)
    width, height = image.size
    if width * height > MAX_PIXELS or max(width, height) > MAX_SIDE:
        raise InputError(
            f"has {width} x {height} pixels, at most {MAX_PIXELS:,}, and {MAX_SIDE:,} on a side, are allowed"
        )
    return image


def _pixels(file: BinaryIO, size: int, resize: Resize) -> NDArray[np.uint8]:
    """The image in a file; one of more than ``EXACT`` pixels is reduced to 4 x ``size`` before more memory is used."""
    image = _opened(file)
    large = image.width * image.height > EXACT
    if large:
        image.draft(None, (4 * size, 4 * size))  # a JPEG is then decoded at 1/2, 1/4 or 1/8 of its size
    image.load()
    turn = _turn(image)
    if image.mode.startswith("I;16") or (image.mode == "I" and image.format == "PPM"):
        image = Image.fromarray((np.asarray(image) // 257).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise InputError(f"has pixels of 32 bits (mode {image.mode}); save it with 8 or 16 bits")
    mode = "RGBA" if image.has_transparency_data else "RGB"
    if image.mode != mode:
        image = image.convert(mode)
    if large:
        image = _scaled(image, 4 * size, resize, Image.Resampling.BOX)
    if turn is not None:
        image = image.transpose(turn)
    if mode == "RGBA":
        image = Image.alpha_composite(Image.new("RGBA", image.size, "white"), image).convert("RGB")
    return np.asarray(_scaled(image, size, resize, Image.Resampling.BILINEAR), np.uint8)


def _turn(image: Image.Image) -> Transpose | None:
    """Return how the EXIF orientation says that an image is to be turned; None where its metadata is damaged."""
    try:
        orientation = image.getexif().get(Base.Orientation)
    except Exception:  # the parser raises whatever damaged metadata leads it to
        return None
    return TURNS.get(orientation) if isinstance(orientation, int) else None


def _without_metadata(data: bytes) -> bytes:
    """A PNG with those chunks alone that decide its pixels: critical ones, transparency and orientation.

    https://www.w3.org/TR/png-3: a chunk is critical if the first letter of its name is a capital one.
    """
    kept, place = [data[:8]], 8
    while place + 12 <= len(data):
        kind, end = data[place + 4 : place + 8], place + 12 + int.from_bytes(data[place : place + 4])
        whole = zlib.crc32(data[place + 4 : end - 4]) == int.from_bytes(data[end - 4 : end])
        if kind[:1].isupper() or (kind in (b"tRNS", b"eXIf") and whole):
            kept.append(data[place:end])
        place = end
    return b"".join(kept)


def _scaled(image: Image.Image, size: int, resize: Resize, filter: Image.Resampling) -> Image.Image:
    """An image at ``size`` x ``size`` pixels; see ``read_image``."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (0, 0, width, height) if resize == "stretch" else (left, top, left + side, top + side)
    return image.resize((size, size), filter, box=box)
