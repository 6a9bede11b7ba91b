"""A study as Markdown, and as a page of HTML that stands alone."""

import base64
import html
from collections.abc import Sequence
from pathlib import Path

from dawn.studies.table import Part

STYLE = """
body { font: 16px/1.5 system-ui, sans-serif; max-width: 70rem; margin: 2rem auto; padding: 0 1rem; color: #222 }
table { border-collapse: collapse; margin: 1rem 0 2rem; display: block; overflow-x: auto }
th, td { padding: .25rem .7rem; text-align: right; border-bottom: 1px solid #ddd; white-space: nowrap }
td { font-variant-numeric: tabular-nums }
th { border-bottom: 2px solid #222; vertical-align: bottom; white-space: normal }
th:first-child, td:first-child { text-align: left }
img { max-width: 100% }
@media (prefers-color-scheme: dark) {
  body { background: #181818; color: #ddd }
  th, td { border-color: #666 }
  img { background: white }
}"""
NOTES = (
    "Intervals are of 95 %: Student's for means, Wilson's for shares, quartiles for the times of a step.",
    "A difference is paired by seed where equal seeds give equal batches, and Welch's otherwise; its interval stands "
    "for itself, its p-value is Holm's for all variants of the study.",
    "The seeds are the chance in a training. The test images are the same for all, so the intervals say nothing about "
    "other images.",
)


def markdown(title: str, verdicts: Sequence[str], parts: Sequence[Part], notes: Sequence[str]) -> str:
    """The study as Markdown: the question, the verdicts, the tables, how they are to be read."""
    lists = ["\n".join(f"- {line}" for line in lines) + "\n" for lines in (verdicts, notes)]
    return "\n".join([f"## {title}\n", lists[0], *(part.markdown() for part in parts), lists[1]])


def page(
    name: str, title: str, verdicts: Sequence[str], parts: Sequence[Part], notes: Sequence[str], plots: Sequence[Path]
) -> str:
    """The study as HTML, with its pictures inside."""
    lists = [
        "<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>" for lines in (verdicts, notes)
    ]
    body = [f"<h1>{html.escape(title)}</h1>", lists[0], *map(image, plots), *map(table, parts), lists[1]]
    head = f'<meta charset="utf-8"><title>{html.escape(name)}</title><style>{STYLE}</style>'
    return f"<!doctype html>\n<html lang=en><head>{head}</head>\n<body>\n" + "\n".join(body) + "\n</body></html>\n"


def image(path: Path) -> str:
    """A picture inside the page."""
    content = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{html.escape(path.stem)}" src="data:image/png;base64,{content}">'


def table(part: Part) -> str:
    """A part as HTML."""
    rows = [
        "<tr>" + "".join(f"<{tag}>{html.escape(cell)}</{tag}>" for cell in cells) + "</tr>"
        for tag, cells in [("th", part.heads), *(("td", row) for row in part.rows)]
    ]
    return f"<h2>{html.escape(part.title)}</h2>\n<table>\n" + "\n".join(rows) + "\n</table>"
