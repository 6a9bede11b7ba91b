"""One image file as an RGB array of one size, decoded within limits, whoever wrote the file."""

import io
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from dawn.config.types import Resize
from dawn.core.cli import InputError

FORMATS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF", "PPM")  # of GIF and TIFF the first image
SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm")
MAX_BYTES = 64 << 20  # of a file
MAX_PNG = 64 << 10  # bytes of a PNG that is not scaled; one of 32x32 pixels without compression has 3,200
MAX_PIXELS = 64 << 20  # of an image; 256 MiB while it is decoded
Image.MAX_IMAGE_PIXELS = None  # Pillow's own limit only warns; ``MAX_PIXELS`` refuses


def read_image(source: Path | bytes, size: int, resize: Resize) -> NDArray[np.uint8]:
    """The image at ``size`` x ``size`` pixels, uint8 (size, size, 3); InputError, without the path, if it has none.

    Turned as its EXIF orientation says; transparent parts are put on white; grey is three equal channels; 16 bits
    are rounded to 8. crop: the largest square in the middle, scaled. stretch: the whole image, scaled to a square.
    Scaled by Pillow's bilinear filter, which averages where an image shrinks.
    """
    with decoding(), opened(source) as file:
        return scaled(_rgb(file), size, resize)


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
        raise InputError(f"is no image of a known format; {', '.join(FORMATS)} can be read") from error
    except Exception as error:  # decoders of a damaged file raise whatever it leads them to
        if isinstance(error, OSError) and error.errno is not None:  # of the file system
            raise InputError(f"cannot be read ({os.strerror(error.errno)})") from error
        raise InputError(f"is a damaged image ({' '.join(str(error).split()) or type(error).__name__})") from error


def opened(source: Path | bytes) -> BinaryIO:
    """The bytes of an image file to read; InputError where they are too many."""
    size = len(source) if isinstance(source, bytes) else source.stat().st_size
    if size > MAX_BYTES:
        raise InputError(f"has {size:,} bytes, at most {MAX_BYTES:,} are allowed")
    return io.BytesIO(source) if isinstance(source, bytes) else source.open("rb")


def _rgb(file: BinaryIO) -> Image.Image:
    """The image in a file in mode RGB."""
    image: Image.Image = Image.open(file, formats=FORMATS)
    if image.width * image.height > MAX_PIXELS:
        raise InputError(f"has {image.width} x {image.height} pixels, at most {MAX_PIXELS:,} are allowed")
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith("I;16"):
        image = Image.fromarray((np.asarray(image).astype(np.uint32) * 255 // 65535).astype(np.uint8))
    elif image.mode in ("I", "F"):
        raise InputError(f"has pixels of 32 bits (mode {image.mode}); save it with 8 or 16 bits")
    if image.has_transparency_data:
        rgba = image.convert("RGBA")
        return Image.alpha_composite(Image.new("RGBA", rgba.size, "white"), rgba).convert("RGB")
    return image.convert("RGB")


def scaled(image: Image.Image, size: int, resize: Resize) -> NDArray[np.uint8]:
    """An RGB image at ``size`` x ``size`` pixels, uint8 (size, size, 3); see ``read_image``."""
    width, height = image.size
    side = min(width, height)
    left, top = (width - side) / 2, (height - side) / 2
    box = (0, 0, width, height) if resize == "stretch" else (left, top, left + side, top + side)
    square = image.resize((size, size), Image.Resampling.BILINEAR, box=box)
    return np.asarray(square, np.uint8)


def image_files(places: list[Path]) -> tuple[list[Path], list[str]]:
    """The files among ``places`` and the image files below its folders, sorted, each once; and what is not there."""
    files: dict[Path, None] = {}
    missing = []
    for place in places:
        if place.is_dir():
            found = sorted(p for p in place.rglob("*") if p.suffix.lower() in SUFFIXES and p.is_file())
            files |= dict.fromkeys(found)
            missing += [] if found else [f"{place}: has no image file ({', '.join(SUFFIXES)})"]
        elif place.exists():
            files[place] = None
        else:
            missing.append(f"{place}: is not there")
    return list(files), missing
