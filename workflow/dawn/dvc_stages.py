"""Write into dvc.yaml the modules that each of its stages imports, since DVC does not find them itself.

    python -m dawn.dvc_stages dvc.yaml             after an edit to the imports of a step
    python -m dawn.dvc_stages --check dvc.yaml     fail if a list is out of date

A list follows a comment such as ``# code of: train launch``: all lines below it that name files of the package.
"""

import os
import re
from pathlib import Path

from dawn.core import cli
from dawn.core.code_deps import HERE, closure
from dawn.core.files import write_text

MARK = re.compile(r"( *)# code of: (.+)")
PACKAGE = "workflow/dawn/"


def updated(text: str) -> str:
    """The text of dvc.yaml with every list as the imports are now."""
    lines: list[str] = []
    listing = False
    for line in text.splitlines():
        listing = listing and line.strip().startswith(f"- {PACKAGE}")
        if listing:
            continue
        lines.append(line)
        if mark := MARK.fullmatch(line):
            listing = True
            lines += [f"{mark[1]}- {path}" for path in files(mark[2].split())]
    return "\n".join(lines) + "\n"


def files(steps: list[str]) -> list[str]:
    """The files that several steps import, each once, relative to the root of the checkout."""
    found = {path for step in steps for path in closure(step)}
    return sorted(PACKAGE + os.path.relpath(path, HERE) for path in found)


def main() -> None:
    """Parse the command line, update the lists, write or compare."""
    parser = cli.parser(main)
    parser.add_argument("file", type=Path, help="dvc.yaml")
    parser.add_argument("--check", action="store_true", help="write nothing; fail if a list is out of date")
    args = parser.parse_args()
    before = args.file.read_text(encoding="utf-8")
    after = updated(before)
    if args.check and before != after:
        raise cli.InputError(
            f"{args.file} does not list the modules that the steps import; run python -m dawn.dvc_stages {args.file}"
        )
    if before != after:
        write_text(args.file, after)


if __name__ == "__main__":
    cli.run(main)
