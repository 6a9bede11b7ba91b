"""Installed fonts for characters that the figures' own font lacks, such as Chinese class names."""

import sys
import unicodedata
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

from matplotlib import font_manager
from matplotlib.figure import Figure
from matplotlib.text import Text

OWN = "DejaVu Sans"  # matplotlib brings it
ASIAN = ("CJK", "HIRAGANA", "KATAKANA", "HANGUL", "BOPOMOFO", "FULLWIDTH", "IDEOGRAPHIC")
reported: set[str] = set()  # characters without a font, each named once


@contextmanager
def with_all_characters(drawn: Figure) -> Iterator[None]:
    """Within the block, the texts of a figure have fonts with all their characters; one line names what has none."""
    texts = [text for text in drawn.findobj(Text) if isinstance(text, Text)]
    wanted = {character for text in texts for character in text.get_text() if character.isprintable()}
    missing = wanted - characters(font_manager.findfont(OWN))
    if missing:
        families, without = covering(missing)
        for text in texts:
            text.set_fontfamily([OWN, *families])
        _report(without)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")
        yield


@cache
def characters(path: str) -> frozenset[str]:
    """The characters that a font file has; none where it cannot be read."""
    try:
        return frozenset(map(chr, font_manager.get_font(path).get_charmap()))
    except (OSError, RuntimeError):
        return frozenset()


def covering(missing: set[str]) -> tuple[list[str], set[str]]:
    """The fewest families of installed fonts that have these characters, and the characters that none has."""
    known = {entry.fname for entry in font_manager.fontManager.ttflist}
    for path in sorted(set(font_manager.findSystemFonts()) - known):  # installed after matplotlib listed them
        try:
            font_manager.fontManager.addfont(path)
        except (OSError, RuntimeError):
            continue
    fonts = [font for font in font_manager.fontManager.ttflist if not font.name.startswith("Last Resort")]
    plain = sorted(fonts, key=lambda font: (font.style != "normal", abs(int(font.weight) - 400), font.name))
    has = {font.name: missing & characters(font.fname) for font in reversed(plain)}
    families, left = [], set(missing)
    while left and (best := max(reversed(has), key=lambda name: len(has[name] & left))) and has[best] & left:
        families.append(best)
        left -= has[best]
    return families, left


def _report(without: set[str]) -> None:
    new = "".join(sorted(without - reported))
    reported.update(without)
    if new:
        asian = any(unicodedata.name(character, "").startswith(ASIAN) for character in new)
        package = "fonts-noto-cjk" if asian else "fonts-noto-core"
        print(f"figures: no installed font has the characters {new[:40]!r}, which are drawn as boxes; install one, "
              f"such as Debian's package {package}", file=sys.stderr)  # fmt: skip
