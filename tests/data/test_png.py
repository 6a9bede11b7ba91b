"""PNGs of the folders layout: only 32x32 RGB, whole, and with the chunks that the PNG specification allows."""

import struct
import zlib
from collections.abc import Callable
from pathlib import Path

import archives
import numpy as np
import pytest
from archives import png
from archives import png_chunk as chunk
from archives import png_header as header
from archives import png_rows as rows
from refusals import SAMPLE, refused, swap

from dawn import arrays

IMAGE = SAMPLE.train[0][0]
NAME = f"cifar10/train/{archives.CLASSES[SAMPLE.train[1][0]]}/0_{archives.CLASSES[SAMPLE.train[1][0]]}.png"
END = chunk(b"IEND", b"")
DATA = zlib.compress(rows(IMAGE))
SIZES = {"huge": (65535, 65535), "wide": (33, 32), "same": (32, 32), "tiny": (1, 1)}


def with_chunks(*chunks: bytes) -> bytes:
    """A PNG of these chunks after the header of a 32x32 RGB image."""
    return b"\x89PNG\r\n\x1a\n" + header(32, 32) + b"".join(chunks)


def idat(data: bytes) -> bytes:
    return chunk(b"IDAT", data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(np.zeros((32, 33, 3), np.uint8)), "33x32"),
        (png(np.zeros((1, 1, 3), np.uint8)), "1x1"),
        (png(np.zeros((32, 32, 4), np.uint8), colour=6), "colour type 6"),
        (png(np.zeros((32, 32, 1), np.uint8), colour=0), "colour type 0"),
        (with_chunks().replace(header(32, 32), header(2**31, 2**31)), "2147483648x2147483648"),
        (png(IMAGE)[:-1], "truncated"),
        (png(IMAGE)[:1500], "truncated"),
        (png(IMAGE)[:33], "the chunks 'IHDR'"),
        (png(IMAGE)[:20], "truncated"),
        (b"\xff\xd8\xff\xe0 a JPEG", "is not a PNG"),
        (b"GIF89a", "is not a PNG"),
        (b"", "is not a PNG"),
        (b"x" * 70_000, "70000 bytes"),
    ],
)
def test_no_rgb_png_of_32_pixels(tmp_path: Path, data: bytes, reason: str) -> None:
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), NAME, data))
    assert reason in message and NAME in message


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("place", ["before", "between", "after"])
def test_a_second_header(tmp_path: Path, size: str, place: str) -> None:
    second = header(*SIZES[size])
    half = len(DATA) // 2
    data = {
        "before": with_chunks(second, idat(DATA), END),
        "between": with_chunks(idat(DATA[:half]), second, idat(DATA[half:]), END),
        "after": with_chunks(idat(DATA), second, END),
    }[place]
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), NAME, data))
    assert "the chunks 'IHDR" in message and NAME in message


@pytest.mark.parametrize(
    ("chunks", "reason"),
    [
        ([END], "'IHDR IEND'"),
        ([idat(b""), END], "damaged"),
        ([idat(b"no zlib"), END], "damaged"),
        ([idat(DATA)], "'IHDR IDAT'"),
        ([idat(DATA), END, b"\0"], "truncated or padded"),
        ([idat(DATA), END, END], "'IHDR IDAT IEND IEND'"),
        ([idat(DATA), chunk(b"IEND", b"x")], "empty IEND"),
        ([idat(DATA[:99]), chunk(b"tEXt", b"a\0b"), idat(DATA[99:]), END], "'IHDR IDAT tEXt IDAT IEND'"),
        ([idat(DATA), chunk(b"PLTE", b"abc"), END], "'IHDR IDAT PLTE IEND'"),
        ([chunk(b"PLTE", b"abc"), chunk(b"PLTE", b"abc"), idat(DATA), END], "'IHDR PLTE PLTE IDAT IEND'"),
        ([chunk(b"IDAX", b""), idat(DATA), END], "'IHDR IDAX IDAT IEND'"),
        ([chunk(b"\x1b[2J", b""), idat(DATA), END], r"\x1b[2J"),
        ([idat(DATA)[:-1] + b"\0", END], "checksum of 'IDAT'"),
        ([chunk(b"tEXt", b"a\0b")[:-1] + b"\0", idat(DATA), END], "checksum of 'tEXt'"),
        ([idat(DATA), END[:-1] + b"\0"], "checksum of 'IEND'"),
        ([struct.pack(">I", 2**31) + b"IDAT", idat(DATA), END], "truncated"),
        ([struct.pack(">I", 2**32 - 1) + b"IDAT", idat(DATA), END], "truncated"),
        ([idat(zlib.compress(rows(IMAGE)[:-97])), END], "3007 bytes of pixels, 3104 are expected"),
        ([idat(zlib.compress(rows(IMAGE)[:900])), END], "900 bytes of pixels, 3104 are expected"),
        ([idat(zlib.compress(rows(IMAGE) + b"\0")), END], "more than 3104 bytes of pixels"),
        ([idat(zlib.compress(b"\0" * (32 << 20), 9)), END], "more than 3104 bytes of pixels"),
        ([idat(DATA[:-4]), END], "damaged"),
        ([idat(DATA[:-1] + b"\0"), END], "damaged"),
        ([idat(DATA + b"surplus"), END], "damaged"),
        ([idat(zlib.compress(b"\5" + rows(IMAGE)[1:])), END], "filter type 5"),
        ([idat(zlib.compress(rows(IMAGE)[:97] + b"\xff" + rows(IMAGE)[98:])), END], "filter type 255"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_the_specification_forbids(tmp_path: Path, chunks: list[bytes], reason: str) -> None:
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), NAME, with_chunks(*chunks)))
    assert reason in message and NAME in message


@pytest.mark.parametrize(
    ("position", "value"),
    [(24, 16), (25, 3), (26, 1), (27, 1), (28, 1), (11, 12)],
    ids=["depth", "palette", "compression", "filter method", "interlaced", "header length"],
)
def test_a_header_of_another_kind(tmp_path: Path, position: int, value: int) -> None:
    data = bytearray(png(IMAGE))
    data[position] = value
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    assert NAME in refused(tmp_path, "folders", swap(archives.folders(SAMPLE), NAME, bytes(data)))


def assert_accepted(tmp_path: Path, data: bytes) -> None:
    archive = archives.archive(tmp_path / "a.tgz", swap(archives.folders(SAMPLE), NAME, data))
    assert archives.call(arrays.main, "--archive", archive, "--layout", "folders", "--out", tmp_path) is None
    np.testing.assert_array_equal(np.load(tmp_path / "train_images.npy"), SAMPLE.train[0])


def test_ancillary_chunks_are_never_interpreted(tmp_path: Path) -> None:
    bomb = zlib.compress(b"\0" * (16 << 20), 9)
    extra = [chunk(b"zTXt", b"a\0\0" + bomb), chunk(b"iCCP", b"a\0\0" + bomb), chunk(b"tRNS", b"\0" * 6)]
    animation = chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    assert_accepted(
        tmp_path, with_chunks(*extra, animation, chunk(b"PLTE", b"abc"), idat(DATA), chunk(b"tIME", b""), END)
    )


@pytest.mark.parametrize("sizes", [[1], [0, 1, 0], [700, 0, 1, 1]])
def test_pixels_in_several_chunks(tmp_path: Path, sizes: list[int]) -> None:
    pieces, rest = [], DATA
    for size in sizes:
        pieces.append(idat(rest[:size]))
        rest = rest[size:]
    assert_accepted(tmp_path, with_chunks(*pieces, idat(rest), END))


def predictions(kind: int, left: int, up: int, corner: int) -> int:
    """The predictor of a filter type, section 9.2 and 9.4 of the PNG specification."""
    distances = [abs(up - corner), abs(left - corner), abs(left + up - 2 * corner)]
    paeth = (left, up, corner)[distances.index(min(distances))]
    return (0, left, up, (left + up) // 2, paeth)[kind]


def filtered(image: np.ndarray, kind: Callable[[int], int]) -> bytes:
    """The rows of an image (32, 32, 3), row y filtered by type ``kind(y)``."""
    values = np.zeros((33, 33, 3), int)  # with the zeros that stand above and to the left of the image
    values[1:, 1:] = image
    out = bytearray()
    for y in range(1, 33):
        out.append(kind(y - 1))
        for x in range(1, 33):
            for c in range(3):
                near = (values[y, x - 1, c], values[y - 1, x, c], values[y - 1, x - 1, c])
                out.append((values[y, x, c] - predictions(kind(y - 1), *near)) % 256)
    return bytes(out)


@pytest.mark.parametrize(
    "kind", [lambda y: 0, lambda y: 1, lambda y: 2, lambda y: 3, lambda y: 4, lambda y: y % 5, lambda y: (y + 3) % 5]
)
def test_every_filter_type(tmp_path: Path, kind: Callable[[int], int]) -> None:
    """Also in the first row of each image, above which the specification puts zeros."""
    members = archives.folders(SAMPLE)
    for index, image in enumerate(SAMPLE.train[0]):
        name = members[1 + index][0]
        members[1 + index] = (name, with_chunks(idat(zlib.compress(filtered(image, kind))), END))
    archive = archives.archive(tmp_path / "a.tgz", members)
    assert archives.call(arrays.main, "--archive", archive, "--layout", "folders", "--out", tmp_path) is None
    np.testing.assert_array_equal(np.load(tmp_path / "train_images.npy"), SAMPLE.train[0])
    np.testing.assert_array_equal(np.load(tmp_path / "test_images.npy"), SAMPLE.test[0])
