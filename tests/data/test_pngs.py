"""Archives of 32-pixel PNG files: other images and damaged ones are named, and nothing is written."""

import struct
import zlib
from pathlib import Path

import archives
import numpy as np
import pytest
from archives import png, png_header, png_rows
from archives import png_chunk as chunk
from refusals import SAMPLE, refused, swap

from dawn import arrays

IMAGE = SAMPLE.train[0][0]
CLASS = archives.CLASSES[SAMPLE.train[1][0]]
NAME = f"cifar10/train/{CLASS}/0_{CLASS}.png"
END = chunk(b"IEND", b"")
DATA = chunk(b"IDAT", zlib.compress(png_rows(IMAGE)))


def with_chunks(*chunks: bytes) -> bytes:
    """A PNG of these chunks after the header of a 32x32 RGB image."""
    return b"\x89PNG\r\n\x1a\n" + png_header(32, 32) + b"".join(chunks)


def with_header(position: int, value: int) -> bytes:
    """The image with one byte of its header changed."""
    data = bytearray(png(IMAGE))
    data[position] = value
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (png(np.zeros((32, 33, 3), np.uint8)), "is a 33x32 PNG in mode RGB"),
        (png(np.zeros((1, 1, 3), np.uint8)), "is a 1x1 PNG"),
        (png(np.zeros((32, 32, 4), np.uint8), colour=6), "PNG in mode RGBA"),
        (png(np.zeros((32, 32, 1), np.uint8), colour=0), "PNG in mode L"),
        (archives.bomb(), "is a 60000x60000 PNG"),
        (with_header(24, 16), "in 8-bit RGB are expected"),
        (with_header(25, 3), "PNG in mode P"),
        (png(IMAGE)[:-9], "damaged"),
        (png(IMAGE)[:1500], "damaged"),
        (png(IMAGE)[:33], "no image of a known format"),
        (png(IMAGE)[:20], "damaged"),
        (b"\xff\xd8\xff\xe0 a JPEG", "damaged"),
        (b"", "no image of a known format"),
        (b"x" * 70_000, "has more than 65,536 bytes"),
        (with_chunks(END), "damaged"),
        (with_chunks(chunk(b"IDAT", b"no zlib"), END), "damaged"),
        (with_chunks(DATA), "damaged"),
        (with_chunks(DATA[:-1] + b"\0", END), "checksum"),
        (with_chunks(DATA, END).replace(IMAGE[5].tobytes()[:9], b"\0" * 9), "damaged"),
        (with_chunks(chunk(b"tEXt", b"a\0b")[:-1] + b"\0", DATA, END), "no image of a known format"),
        (with_chunks(struct.pack(">I", 2**31) + b"IDAT", DATA, END), "damaged"),
        (with_chunks(chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(16 << 20), 9)), DATA, END), "damaged"),
    ],
    ids=range(22),
)
def test_no_rgb_png_of_32_pixels(tmp_path: Path, capsys: pytest.CaptureFixture[str], data: bytes, reason: str) -> None:
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), NAME, data))
    assert "bad.tar.gz: 1 of 26 images cannot be read" in message
    (line,) = capsys.readouterr().err.splitlines()
    assert f"/{NAME}: " in line
    assert reason in line


def test_what_a_png_says_of_its_metadata_is_not_used(tmp_path: Path) -> None:
    profile = chunk(b"iCCP", b"a\0\0" + zlib.compress(b"\0" * (16 << 10), 9))
    animation = chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0))
    halves = chunk(b"IDAT", zlib.compress(png_rows(IMAGE))[:700]) + chunk(b"IDAT", zlib.compress(png_rows(IMAGE))[700:])
    data = with_chunks(profile, animation, chunk(b"PLTE", b"abc"), halves, chunk(b"tIME", bytes(7)), END)
    archive = archives.archive(tmp_path / "a.tgz", swap(archives.folders(SAMPLE), NAME, data))
    assert archives.call(arrays.main, "--source", archive, "--layout", "folders", "--out", tmp_path) is None
    np.testing.assert_array_equal(np.load(tmp_path / "train_images.npy"), SAMPLE.train[0])
