"""An image file of any kind as an array of one size, and files that are refused."""

import io
import os
import zlib
from pathlib import Path

import numpy as np
import pytest
from archives import bomb, png, png_chunk, png_header
from PIL import Image
from pillow_heif import register_heif_opener
from seeds import pixels, write_image

from dawn.core.cli import InputError
from dawn.data import image_file
from dawn.data.image_file import read_image, read_size

register_heif_opener()


def encoded(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG", "AVIF", "HEIF"])
def test_every_format_gives_its_pixels(format):
    image = Image.fromarray(np.full((32, 32, 3), (200, 100, 50), np.uint8))
    lossless = {"lossless": True} if format == "WEBP" else {}
    found = read_image(encoded(image, format, **lossless), 32, "crop")
    assert found.shape == (32, 32, 3)
    assert np.abs(found.astype(int) - (200, 100, 50)).max() <= (3 if format in ("JPEG", "AVIF", "HEIF") else 0)


def test_an_image_of_the_size_keeps_its_pixels():
    image = pixels(32, 32)
    assert np.array_equal(read_image(png(image), 32, "crop"), image)
    assert np.array_equal(read_image(png(image), 32, "stretch"), image)


def test_crop_takes_the_square_in_the_middle_and_stretch_the_whole():
    image = np.zeros((20, 60, 3), np.uint8)
    image[:, 20:40] = 255
    assert read_image(png(image), 20, "crop").min() == 255
    stretched = read_image(png(image), 20, "stretch")
    assert stretched[:, 0].max() == 0
    assert stretched[:, 10].min() == 255


def test_scaling_down_averages():
    board = (np.indices((64, 64)).sum(0) % 2 * 255).astype(np.uint8)[..., None].repeat(3, 2)
    assert np.abs(read_image(png(board), 8, "crop").astype(int) - 127).max() < 12


@pytest.mark.parametrize(
    ("mode", "colour", "expected"),
    [
        ("L", 90, (90, 90, 90)),
        ("LA", (0, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 0), (255, 255, 255)),
        ("RGBA", (10, 20, 30, 255), (10, 20, 30)),
        ("1", 1, (255, 255, 255)),
        ("I;16", 0x8000, (127, 127, 127)),
    ],
)
def test_modes_become_rgb(mode, colour, expected):
    found = read_image(encoded(Image.new(mode, (9, 9), colour), "PNG"), 9, "crop")
    assert (found == expected).all()


def test_a_palette_with_a_transparent_colour_is_put_on_white():
    image = Image.new("P", (8, 8), 1)
    image.putpalette([0, 0, 0, 255, 0, 0])
    assert (read_image(encoded(image, "PNG", transparency=1), 8, "crop") == 255).all()


def test_exif_turns_an_image():
    image = Image.fromarray(np.zeros((8, 8, 3), np.uint8))
    image.paste((255, 0, 0), (0, 0, 8, 4))
    turned = image.getexif()
    turned[0x0112] = 3  # upside down
    found = read_image(encoded(image, "PNG", exif=turned), 8, "crop")
    assert found[7, 0, 0] == 255
    assert found[0, 0, 0] == 0


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "no image of a known format"),
        (b"GIF89a", "no image of a known format"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "no image of a known format"),
        (b"%!PS-Adobe-3.0 EPSF-3.0", "no image of a known format"),
        (png(pixels(32, 32))[:200], "damaged image"),
        (encoded(Image.fromarray(pixels()), "JPEG")[:300], "damaged image"),
        (encoded(Image.new("F", (4, 4)), "TIFF"), "pixels of 32 bits"),
    ],
)
def test_what_is_no_image_is_refused(data, message):
    with pytest.raises(InputError, match=message):
        read_image(data, 32, "crop")


def test_a_decompression_bomb_is_refused_before_it_is_decoded():
    with pytest.raises(InputError, match=r"60000 x 60000 pixels, at most 67,108,864"):
        read_image(bomb(), 32, "crop")


@pytest.mark.parametrize(("width", "height"), [(1, 1 << 26), (70_000, 2)])
def test_an_image_with_a_long_side_is_refused_before_it_is_decoded(width, height):
    data = b"\x89PNG\r\n\x1a\n" + png_header(width, height) + png_chunk(b"IDAT", zlib.compress(bytes(10**5)))
    with pytest.raises(InputError, match=rf"has {width} x {height} pixels, at most .* 65,535 on a side"):
        read_image(data, 32, "crop")


@pytest.mark.parametrize("mode", ["RGB", "RGBA", "L", "P", "LA", "1", "CMYK", "I;16"])
@pytest.mark.parametrize("resize", ["crop", "stretch"])
def test_a_large_image_is_reduced_first(mode, resize, monkeypatch):
    board = np.add.outer(np.arange(300), np.arange(400))
    image = Image.fromarray((board * 255 // board.max()).astype(np.uint8))
    image = Image.fromarray((board * 90).astype(np.uint16)) if mode == "I;16" else image.convert(mode)
    turned = image.getexif()
    turned[0x0112] = 6
    data = encoded(image, "JPEG" if mode == "CMYK" else "PNG", exif=turned)
    whole = read_image(data, 16, resize).astype(int)
    monkeypatch.setattr(image_file, "EXACT", 1000)
    assert np.abs(read_image(data, 16, resize) - whole).max() <= (60 if mode == "1" else 3)


@pytest.mark.parametrize("kind", [b"eXIf", b"tEXt", b"pHYs", b"iCCP", b"gAMA", b"sRGB", b"cHRM"])
def test_damaged_metadata_of_a_png_does_not_matter(kind):
    image = pixels(9, 9)
    start, end = png(image)[:33], png(image)[33:]
    crc = png_chunk(kind, b"abc")[:-4] + b"oops"
    for chunk in (png_chunk(kind, b""), png_chunk(kind, b"no metadata"), crc):
        assert np.array_equal(read_image(start + chunk + end, 9, "crop"), image)
        assert read_size(start + chunk + end) == (9, 9)
    with pytest.raises(InputError, match="damaged image"):
        read_image(start + crc + end[:40], 9, "crop")


def test_metadata_that_turns_a_png_is_kept_where_other_metadata_is_damaged():
    image = Image.fromarray(pixels(9, 9))
    turned = image.getexif()
    turned[0x0112] = 3
    data = encoded(image, "PNG", exif=turned)
    damaged = data[:33] + png_chunk(b"pHYs", b"?") + data[33:]
    assert np.array_equal(read_image(damaged, 9, "crop"), np.asarray(image)[::-1, ::-1])


def test_the_size_is_that_of_the_file(tmp_path):
    path = write_image(tmp_path / "a.png")
    for source in (path, path.read_bytes()):
        with Image.open(path) as image:
            assert read_size(source) == image.size
    assert read_size(encoded(Image.new("RGB", (5, 3)), "JPEG")) == (5, 3)
    for content, words in ((b"no image", "is no image of"), (png(pixels(9, 9))[:20], "is a damaged image")):
        with pytest.raises(InputError, match=words):
            read_size(content)


def test_an_image_of_too_many_pixels_is_refused_once(monkeypatch):
    monkeypatch.setattr(image_file, "MAX_PIXELS", 80)
    monkeypatch.setattr(image_file, "_without_metadata", lambda data: pytest.fail("it was read again"))
    for read in (read_size, lambda data: read_image(data, 9, "crop")):
        with pytest.raises(InputError, match="has 9 x 9 pixels, at most 80"):
            read(png(pixels(9, 9)))


@pytest.mark.parametrize(
    "exif", [b"Exif\0\0", b"Exif\0\0MM\0*" + b"\xff" * 30, b"Exif\0\0II*\0\x08\0\0\0\x01\0\x12\x01\x02\0"]
)
@pytest.mark.parametrize("format", ["JPEG", "WEBP", "PNG"])
def test_damaged_metadata_does_not_matter(exif, format):
    plain = Image.fromarray(pixels(32, 32))
    found = read_image(encoded(plain, format, exif=exif), 32, "crop")
    assert np.array_equal(found, read_image(encoded(plain, format), 32, "crop"))


@pytest.mark.parametrize("largest", [255, 1023, 4095, 65535])
@pytest.mark.parametrize("text", [False, True])
def test_grey_of_any_depth(largest, text):
    values = np.linspace(0, largest, 64).astype(np.uint16)
    head = f"{'P2' if text else 'P5'} 8 8 {largest}\n".encode()
    body = " ".join(map(str, values)).encode() if text else values.astype(">u2" if largest > 255 else "u1").tobytes()
    found = read_image(head + body, 8, "crop")[..., 0].ravel()
    assert np.abs(found - values * 255.0 / largest).max() <= 1


def test_a_file_of_many_bytes_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_file, "MAX_BYTES", 100)
    path = write_image(tmp_path / "a.png")
    for source in (path, path.read_bytes()):
        with pytest.raises(InputError, match="at most 100 are allowed"):
            read_image(source, 32, "crop")


def test_what_the_file_system_refuses_is_reported(tmp_path):
    os.mkfifo(tmp_path / "fifo.png")
    for path, reason in (
        (tmp_path / "none.png", "No such file"), (tmp_path, "Is a directory"), (tmp_path / "fifo.png", "a FIFO, not a"),
        (Path("/dev/zero"), "a device, not a"),
    ):  # fmt: skip
        with pytest.raises(InputError, match=reason):
            read_image(path, 32, "crop")
