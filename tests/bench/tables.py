"""Make the tables of measured numbers in the documentation from the raw rows in docs/measurements.

    python tests/bench/tables.py              the same as make tables
    python tests/bench/tables.py --check      change nothing; exit with 1 if a number has no rows, or a page differs
    python tests/bench/tables.py --planned    list the measurements that templates wait for, with their commands

docs/measurements/tables.yaml has the templates. A table replaces what stands between ``<!-- rows: NAME -->`` and
``<!-- end of NAME -->`` on its page; lines whose rows are not measured yet are left out. Of params.yaml and each preset
the lines ``# Published: ...`` and ``# Measured: ...`` of its header are replaced.
"""

import argparse
import os
import re
import statistics
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import yaml
from cells import PLACEHOLDER, Cells

from dawn.core.cli import InputError
from dawn.core.files import write_text
from dawn.report.page import Table, markdown
from dawn.results.measurement import read

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"<!-- rows: (?P<name>[\w-]+) -->\n(?P<content>.*?)<!-- end of (?P=name) -->", re.DOTALL)
HEADER = re.compile(r"^# (?P<name>Published|Measured): .*$", re.MULTILINE)
CODE, NUMBER = re.compile(r"`[^`]*`|\]\([^)]*\)"), re.compile(r"\d[\d.,]*")
NOT_YET, NOT_KEPT = "not yet.", "raw rows not kept; earlier numbers: {}."


class Pages:
    """The pages of a checkout as their rows say; ``table`` is the content of tables.yaml."""

    def __init__(self, root: Path = ROOT) -> None:
        self.root, self.folder = root, root / "docs/measurements"
        self.table: Mapping[str, Any] = yaml.safe_load((self.folder / "tables.yaml").read_text(encoding="utf-8"))
        self.cells = Cells(self.folder, self.table)

    def all(self) -> Iterator[tuple[Path, str]]:
        """Every page and preset with its text."""
        for name, blocks in self.table["pages"].items():
            yield self.root / name, self.page(self.root / name, blocks)
        for path in [self.root / "params.yaml", *sorted((self.root / "workflow/presets").glob("*.yaml"))]:
            yield path, self.preset(path)

    def page(self, path: Path, blocks: Mapping[str, Any]) -> str:
        """A page with its tables."""
        text = path.read_text(encoding="utf-8")
        found = [match["name"] for match in BLOCK.finditer(text)]
        if sorted(found) != sorted(blocks):
            raise InputError(
                f"{path.name} has the markers of {sorted(found)}, and tables.yaml the tables {sorted(blocks)}"
            )
        return BLOCK.sub(lambda match: self.block(path, match["name"], blocks[match["name"]]), text)

    def block(self, path: Path, name: str, template: Mapping[str, Any]) -> str:
        """A table between its markers, followed by links to its rows."""
        lines = [line for line in template["lines"] if self.cells.measured(" ".join(line))]
        content = "Not measured yet with rows kept.\n"
        if lines:
            table = Table(template["heads"], [[self.cells.fill(cell) for cell in line] for line in lines], "", True)
            files = dict.fromkeys(file for line in lines for file in self.cells.named(" ".join(line)))
            links = "; ".join(self.link(path, file) for file in files)
            content = f"{markdown([table]).strip()}\n\nRows: {links}.\n"
        return f"<!-- rows: {name} -->\n\n{content}\n<!-- end of {name} -->"

    def link(self, path: Path, file: str) -> str:
        """A link to a file of rows, and where they were measured."""
        found, target = read(self.folder / file), os.path.relpath(self.folder / file, path.parent)
        commit = "outside of git" if found.commit is None else f"commit {found.commit[:7]}"
        changed = " with changes" if found.dirty else ""
        return f"[measurements/{file}]({target}), {found.date.date()}, {commit}{changed}"

    def preset(self, path: Path) -> str:
        """A preset with the lines that say what its source reached and what was measured."""
        text, lines = path.read_text(encoding="utf-8"), {"Published": self.published, "Measured": self.measured}
        if [match["name"] for match in HEADER.finditer(text)] != list(lines):
            raise InputError(
                f"{path.name} needs exactly one line that starts with '# Published: ', then one with '# Measured: '; "
                f"write '{NOT_YET}' in both"
            )
        return HEADER.sub(lambda match: f"# {match['name']}: {lines[match['name']](path.stem)}", text)

    def published(self, preset: str) -> str:
        """What the source of a preset reached, or why there is no such number."""
        found = self.table["published"].get(preset)
        if found is None:
            raise InputError(f"tables.yaml: published has no {preset}; give accuracy, n, how and source, or why not")
        if isinstance(found, str):
            return f"{found}."
        return f"{found['accuracy']:.2f} %, n = {found['n']}, {found['how']}; {found['source']}."

    def measured(self, preset: str) -> str:
        """What was measured, on which machine and when; that it is below the published value, if it is."""
        line, older = self.table["presets"].get(preset), self.table["not kept"].get(preset)
        if not line or not self.cells.measured(line):
            return NOT_KEPT.format(older) if older else NOT_YET
        source = PLACEHOLDER.findall(line)[0].split()[0]
        files = ", ".join(f"docs/measurements/{file}" for file in self.cells.named(line))
        where = self.cells.fill(f"{{{source} host}}, {{{source} date}}")
        return f"{self.cells.fill(line)}, {where}{self.shortfall(preset, source)}. Rows: {files}"

    def shortfall(self, preset: str, source: str) -> str:
        """By how much the mean of the rows is below the published value, in words; nothing where it is not."""
        found = self.table["published"][preset]
        if isinstance(found, str):
            return ""
        below = found["accuracy"] - statistics.fmean(self.cells.source(source).values("accuracy"))
        return f"; {below:.2f} points below the published value" if below > 0 else ""

    def templates(self) -> Iterator[tuple[str, list[str]]]:
        """Every line of every template: where it is, and its cells. Of a table the first cell is a name."""
        for page, blocks in self.table["pages"].items():
            for name, template in blocks.items():
                yield from ((f"{page}, {name}", line) for line in template["lines"])
        yield from ((preset, ["", line]) for preset, line in self.table["presets"].items())

    def faults(self) -> list[str]:
        """Numbers of templates that have no rows, rows that no template uses, and pages that differ from their rows."""
        used = {file for _, line in self.templates() for file in self.cells.named(" ".join(line))}
        found = [f"{path.name} is in no table" for path in sorted(self.folder.glob("*.json")) if path.name not in used]
        for where, line in self.templates():
            for cell in line[1:]:
                if number := NUMBER.search(CODE.sub("", PLACEHOLDER.sub("", cell))):
                    found.append(f"{where}: {number[0]!r} in {cell!r} has no rows")
        return found + [
            f"{path.relative_to(self.root)} differs from its rows; run make tables" for path, _ in self.stale()
        ]

    def stale(self) -> list[tuple[Path, str]]:
        """The pages that differ from their rows, and the text that they should have."""
        return [(path, text) for path, text in self.all() if path.read_text(encoding="utf-8") != text]


def planned(pages: Pages) -> list[str]:
    """The measurements that are not there, in the order of tables.yaml."""
    return [
        f"{file}: {plan['time']}\n  {plan['command']} --measurement docs/measurements/{file}"
        for file, plan in pages.table["commands"].items()
        if not (pages.folder / file).is_file()
    ]


def main() -> None:
    """Write or check the pages."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--check", action="store_true", help="change nothing; list what is wrong")
    parser.add_argument("--planned", action="store_true", help="list what is to be measured")
    args = parser.parse_args()
    try:
        pages = Pages()
        if args.planned:
            print("\n".join(planned(pages)))
            return
        if args.check:
            sys.exit("\n".join(pages.faults()) or 0)
        for path, text in pages.stale():
            write_text(path, text)
            print(f"{path.relative_to(ROOT)} written")
    except InputError as error:
        sys.exit(f"tables.py: {error}")


if __name__ == "__main__":
    main()
