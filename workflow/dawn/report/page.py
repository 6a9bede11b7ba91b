"""Pages of headings, paragraphs, lists, tables and images, written as Markdown or as HTML that needs no other file."""

import base64
import html
import mimetypes
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

STYLE = """
:root { color-scheme: light dark; --text: #222; --page: #fff; --line: #ccc }
@media (prefers-color-scheme: dark) { :root { --text: #ddd; --page: #181818; --line: #555 } }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem;
       color: var(--text); background: var(--page); overflow-wrap: anywhere }
h1 { font-size: 1.35em } h2 { font-size: 1.1em; margin-top: 1.8em }
table { border-collapse: collapse; margin: 1rem 0 2rem; display: block; overflow-x: auto; overflow-wrap: normal }
caption { text-align: left; font-weight: bold; padding-bottom: .4rem }
th, td { padding: .25rem .9rem .25rem 0; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line) }
th { vertical-align: bottom; border-bottom: 2px solid var(--text) }
.number { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums }
figure { margin: 1rem 0 } img { max-width: 100%; background: #fff }
"""
# how a cell starts that is a number, or that has none to show; "1-3" and "4x4" are names
NUMBER = re.compile(r"[-+−±<>≤≥~$]? ?\d[\d,.]*(?:e[-+]?\d+)?(?![\d,.]|-|[^\W\d])|–?$")


@dataclass(frozen=True)
class Heading:
    """The heading of a part of the page; ``level`` 1 is the page's own."""

    text: str
    level: int = 2


@dataclass(frozen=True)
class Paragraph:
    """Running text, on demand all of it bold."""

    text: str
    bold: bool = False


@dataclass(frozen=True)
class Bullets:
    """A list, an item a line."""

    items: Sequence[str]


@dataclass(frozen=True)
class Table:
    """A table. A column whose cells are all numbers, ``–`` or empty is aligned to the right, unless all are empty.

    ``is_markdown`` says that the cells are Markdown and not plain text; no cell that holds a name from outside may be.
    """

    heads: Sequence[str]
    rows: Sequence[Sequence[str]]
    title: str = ""
    is_markdown: bool = False

    @property
    def numbers(self) -> list[bool]:
        """Whether each column holds numbers."""
        columns = zip(*self.rows, strict=True)
        return [any(column) and all(NUMBER.match(cell) for cell in column) for column in columns]


@dataclass(frozen=True)
class Image:
    """An image file and its description. HTML holds the image itself, Markdown a link to the file."""

    path: Path
    text: str


Block = Heading | Paragraph | Bullets | Table | Image


def markdown(blocks: Sequence[Block], folder: Path = Path()) -> str:
    """The page as Markdown, to be written into ``folder``."""
    return "\n\n".join(_markdown(block, folder) for block in blocks) + "\n"


def _markdown(block: Block, folder: Path) -> str:
    match block:
        case Heading(text, level):
            return f"{'#' * level} {_plain(text)}"
        case Paragraph(text, bold):
            return f"**{_plain(text)}**" if bold else _start(text)
        case Bullets(items):
            return "\n".join(f"- {_start(item)}" for item in items)
        case Image(path, text):
            return f"![{_plain(text)}]({quote(os.path.relpath(path, folder))})"
        case Table(heads, rows, title, is_markdown):
            rule = ["---:" if number else "---" for number in block.numbers or [False] * len(heads)]
            lines = [heads, rule, *rows] if is_markdown else [_cells(heads), rule, *map(_cells, rows)]
            return (f"**{_plain(title)}**\n\n" if title else "") + "\n".join(
                f"| {' | '.join(line)} |" for line in lines
            )


def _plain(text: str) -> str:
    """Text on one line, of which nothing is Markdown or HTML where it stands in a line.

    Class names and the names of variants are anybody's: they must not become links, images or formulas of a page.
    """
    text = re.sub(r"[\\`*\[\]~$]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", " ".join(text.split()))
    return re.sub(r"<(?=[a-zA-Z/!?])", "&lt;", re.sub(r"&(?=#?\w+;)", "&amp;", text))


def _start(text: str) -> str:
    """The same at the start of a line, where it must not become a list, a heading, a quotation or a rule either."""
    text = re.sub(r"\A(\d+)([.)])(?=\s|\Z)", r"\1\\\2", _plain(text))
    return re.sub(r"\A(?:[-+](?=\s|\Z|-)|[>#=|])", r"\\\g<0>", text)


def _cells(cells: Sequence[str]) -> list[str]:
    return [_plain(cell).replace("|", "\\|") for cell in cells]


def web(title: str, blocks: Sequence[Block]) -> str:
    """The page as one file of HTML; ``title`` is the window's."""
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    body = "\n".join(map(_html, blocks))
    return f'<!doctype html>\n<html lang="en"><head>{head}</head>\n<body>\n{body}\n</body></html>\n'


def _html(block: Block) -> str:
    match block:
        case Heading(text, level):
            return f"<h{level}>{html.escape(text)}</h{level}>"
        case Paragraph(text, bold):
            return f"<p>{'<b>' * bold}{html.escape(text)}{'</b>' * bold}</p>"
        case Bullets(items):
            return "<ul>" + "".join(f"<li>{html.escape(item)}</li>" for item in items) + "</ul>"
        case Image(path, text):
            kind, content = mimetypes.guess_type(path)[0], base64.b64encode(path.read_bytes()).decode()
            return f'<figure><img alt="{html.escape(text)}" src="data:{kind};base64,{content}"></figure>'
        case Table(heads, rows, title):
            numbers = block.numbers or [False] * len(heads)
            lines = [_row(cells, tag, numbers) for tag, cells in [("th", heads), *(("td", row) for row in rows)]]
            caption = f"<caption>{html.escape(title)}</caption>\n" if title else ""
            return f"<table>\n{caption}" + "\n".join(lines) + "\n</table>"


def _row(cells: Sequence[str], tag: str, numbers: Sequence[bool]) -> str:
    marks = [' class="number"' if number else "" for number in numbers]
    content = [f"<{tag}{mark}>{html.escape(cell)}</{tag}>" for mark, cell in zip(marks, cells, strict=True)]
    return f"<tr>{''.join(content)}</tr>"


def latex(tables: Sequence[Table]) -> str:
    """The tables as LaTeX, each a ``table`` of its own with a caption; no package is needed."""
    return "\n\n".join(map(_latex, tables)) + "\n"


def _latex(table: Table) -> str:
    columns = "".join("r" if number else "l" for number in table.numbers or [False] * len(table.heads))
    head, *rows = [" & ".join(map(_escaped, cells)) + r" \\" for cells in (table.heads, *table.rows)]
    return "\n".join([
        r"\begin{table}", rf"\caption{{{_escaped(table.title)}}}", rf"\begin{{tabular}}{{{columns}}}", r"\hline",
        head, r"\hline", *rows, r"\hline", r"\end{tabular}", r"\end{table}",
    ])  # fmt: skip


def _escaped(text: str) -> str:
    special = {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "–": "--", "<": "$<$"}
    return "".join(special.get(c, "\\" + c if c in "&%$#_{}" else c) for c in text)
