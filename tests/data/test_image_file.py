"""An image file of any kind as an array of one size, and files that are refused."""

import io

import numpy as np
import pytest
from archives import bomb, png
from PIL import Image
from seeds import pixels, write_image

from dawn.core.cli import InputError
from dawn.data import image_file
from dawn.data.image_file import image_files, read_image


def encoded(image, format, **options):
    out = io.BytesIO()
    image.save(out, format, **options)
    return out.getvalue()


@pytest.mark.parametrize("format", ["PNG", "WEBP", "GIF", "BMP", "TIFF", "PPM", "JPEG"])
def test_every_format_gives_its_pixels(format):
    image = Image.fromarray(np.full((32, 32, 3), (200, 100, 50), np.uint8))
    lossless = {"lossless": True} if format == "WEBP" else {}
    found = read_image(encoded(image, format, **lossless), 32, "crop")
    assert found.shape == (32, 32, 3)
    assert np.abs(found.astype(int) - (200, 100, 50)).max() <= (3 if format == "JPEG" else 0)


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


def test_a_file_of_many_bytes_is_not_read(tmp_path, monkeypatch):
    monkeypatch.setattr(image_file, "MAX_BYTES", 100)
    path = write_image(tmp_path / "a.png")
    for source in (path, path.read_bytes()):
        with pytest.raises(InputError, match="at most 100 are allowed"):
            read_image(source, 32, "crop")


def test_what_the_file_system_refuses_is_reported(tmp_path):
    for path, reason in ((tmp_path / "none.png", "No such file"), (tmp_path, "Is a directory")):
        with pytest.raises(InputError, match=reason):
            read_image(path, 32, "crop")


def test_folders_are_searched_and_files_taken_once(tmp_path):
    one, two = write_image(tmp_path / "in/b.PNG"), write_image(tmp_path / "in/deep/a.webp")
    (tmp_path / "in/notes.txt").write_text("no image")
    (tmp_path / "empty").mkdir()
    files, missing = image_files([tmp_path / "in", one, tmp_path / "empty", tmp_path / "none.png"])
    assert files == [one, two]
    assert [line.split(": ")[1][:12] for line in missing] == ["has no image", "is not there"]
