"""A page of sections, each of lines and a table, as Markdown and as HTML that needs nothing else."""

import html
from collections.abc import Sequence
from dataclasses import dataclass

STYLE = (
    "body{font:15px/1.5 system-ui,sans-serif;max-width:50em;margin:2em auto;padding:0 1em;color:#111;background:#fff}"
    "h1{font-size:1.35em}h2{font-size:1.1em;margin-top:1.8em}table{border-collapse:collapse}"
    "td,th{border-bottom:1px solid #bbb;padding:.25em .9em .25em 0;text-align:left;vertical-align:top}"
    "td{overflow-wrap:anywhere}"
)


@dataclass(frozen=True)
class Section:
    """A heading, lines below it, and a table whose first row names its columns."""

    heading: str
    lines: Sequence[str] = ()
    table: Sequence[Sequence[str]] = ()


def markdown(claim: str, sections: Sequence[Section]) -> str:
    """The page as Markdown, the claim on top in bold."""
    parts = [f"**{claim}**"]
    for section in sections:
        parts.append(f"## {section.heading}")
        if section.lines:
            parts.append("\n".join(f"- {line}" for line in section.lines))
        if section.table:
            head, *rows = [[cell.replace("|", "\\|") for cell in row] for row in section.table]
            lines = [head, ["---"] * len(head), *rows]
            parts.append("\n".join(f"| {' | '.join(line)} |" for line in lines))
    return "\n\n".join(parts) + "\n"


def web(claim: str, sections: Sequence[Section]) -> str:
    """The same as one HTML page."""
    parts = [f"<h1>{html.escape(claim)}</h1>"]
    for section in sections:
        parts.append(f"<h2>{html.escape(section.heading)}</h2>")
        if section.lines:
            parts.append(f"<ul>{''.join(f'<li>{html.escape(line)}</li>' for line in section.lines)}</ul>")
        if section.table:
            head, *rows = section.table
            body = "".join(_row(row, "td") for row in rows)
            parts.append(f"<table>{_row(head, 'th')}{body}</table>")
    head = f'<meta charset="utf-8"><title>{html.escape(claim)}</title><style>{STYLE}</style>'
    return f'<!doctype html><html lang="en"><head>{head}</head><body>{"".join(parts)}</body></html>\n'


def _row(cells: Sequence[str], tag: str) -> str:
    return f"<tr>{''.join(f'<{tag}>{html.escape(cell)}</{tag}>' for cell in cells)}</tr>"
