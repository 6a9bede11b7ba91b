"""Class names in any script are drawn in an installed font that has them, or one line says what to install."""

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from matplotlib import font_manager, rcParams
from matplotlib.image import imread

from dawn.report import fonts
from dawn.report.style import figure, save

CAT, DOG, PIG = "猫", "犬", "豚"


def font(path, family, characters):
    """A font file in which each character is a black square."""
    pen = TTGlyphPen(None)
    for point in ((0, 0), (0, 900), (900, 900), (900, 0)):
        (pen.moveTo if point == (0, 0) else pen.lineTo)(point)
    pen.closePath()
    square = pen.glyph()
    names = [".notdef", *(f"g{ord(c)}" for c in characters)]
    builder = FontBuilder(1000, isTTF=True)
    builder.setupGlyphOrder(names)
    builder.setupCharacterMap({ord(c): f"g{ord(c)}" for c in characters})
    builder.setupGlyf(dict.fromkeys(names, square))
    builder.setupHorizontalMetrics(dict.fromkeys(names, (1000, 0)))
    builder.setupHorizontalHeader(ascent=900, descent=-100)
    builder.setupNameTable({"familyName": family, "styleName": "Regular"})
    builder.setupOS2()
    builder.setupPost()
    builder.save(path)
    return str(path)


@pytest.fixture
def installed(monkeypatch):
    """A function that makes these fonts the only ones besides matplotlib's own."""
    own = [entry for entry in font_manager.fontManager.ttflist if "mpl-data" in entry.fname]
    monkeypatch.setattr(font_manager.fontManager, "ttflist", own)
    monkeypatch.setattr(fonts, "reported", set())

    def install(*paths):
        monkeypatch.setattr(font_manager, "findSystemFonts", lambda: list(paths))

    return install


def drawn(path, *names):
    """The figure with these names at its axis, saved."""
    picture = figure(3, 3)
    axes = picture.subplots()
    axes.barh(range(len(names)), range(len(names)))
    axes.set_yticks(range(len(names)), names)
    save(picture, path)
    return picture


def families(picture):
    return picture.axes[0].get_yticklabels()[0].get_fontfamily()


def test_names_are_drawn_in_the_fewest_fonts_that_have_them(tmp_path, installed, capsys):
    paths = (font(tmp_path / "a.ttf", "One", CAT), font(tmp_path / "b.ttf", "Both", CAT + DOG),
             font(tmp_path / "c.ttf", "Other", PIG))  # fmt: skip
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    installed(*paths, str(tmp_path / "broken.ttf"))
    assert families(drawn(tmp_path / "two.png", CAT, DOG)) == [fonts.OWN, "Both"]
    assert families(drawn(tmp_path / "three.png", CAT, DOG, PIG)) == [fonts.OWN, "Both", "Other"]
    assert capsys.readouterr().err == ""


def test_a_name_without_a_font_is_reported_once_with_the_package(tmp_path, installed, capsys):
    installed()
    drawn(tmp_path / "a.png", CAT, "dog")
    drawn(tmp_path / "b.png", CAT, "dog")
    err = capsys.readouterr().err
    assert err.count("\n") == 1
    assert "no installed font has the characters '猫', which are drawn as boxes; install one" in err
    assert "fonts-noto-cjk" in err
    drawn(tmp_path / "c.png", "\U00011013")  # a letter of Brahmi
    assert "fonts-noto-core" in capsys.readouterr().err


def test_latin_greek_and_cyrillic_need_no_other_font(tmp_path, installed, monkeypatch, capsys):
    monkeypatch.setattr(fonts, "covering", lambda missing: pytest.fail(f"{missing}"))
    picture = drawn(tmp_path / "a.png", "Äpfel", "γάτα", "кошка", "a\nb")
    assert families(picture) == rcParams["font.family"]
    assert capsys.readouterr().err == ""


def test_the_pixels_are_those_of_the_font(tmp_path, installed):
    dark = []
    for paths in ((), (font(tmp_path / "a.ttf", "One", CAT),)):
        installed(*paths)
        picture = figure(2, 2)
        picture.text(0.1, 0.3, CAT, fontsize=60)
        save(picture, tmp_path / "a.png")
        dark.append(int((imread(tmp_path / "a.png")[..., 0] < 0.5).sum()))
    side = 0.9 * 60 / 72 * 150  # of the square, in pixels
    assert dark[0] < 0.7 * side**2
    assert dark[1] == pytest.approx(side**2, rel=0.1)
