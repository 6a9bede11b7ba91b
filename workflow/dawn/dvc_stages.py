"""Write into dvc.yaml the files of code that each of its stages runs, since DVC cannot work them out itself.

    python -m dawn.dvc_stages dvc.yaml             after an edit to the imports of a step
    python -m dawn.dvc_stages --check dvc.yaml     only say whether the lists are right

A list follows a comment ``# code of: train launch`` and is all the lines under it that name the package's files.
"""

import os
import re
from pathlib import Path

from dawn.core import cli
from dawn.core.code_deps import HERE, closure
from dawn.core.files import write_text

MARK = re.compile(r"( *)# code of: (.+)")
PACKAGE = "workflow/dawn/"


def renewed(text: str) -> str:
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
    """The files of several steps, from the root of the checkout, each once."""
    found = {path for step in steps for path in closure(step)}
    return sorted(PACKAGE + os.path.relpath(path, HERE) for path in found)


def main() -> None:
    """Parse, renew, write or compare."""
    parser = cli.parser(main)
    parser.add_argument("file", type=Path, help="dvc.yaml")
    parser.add_argument("--check", action="store_true", help="write nothing; refuse if a list is not right")
    args = parser.parse_args()
    before = args.file.read_text(encoding="utf-8")
    after = renewed(before)
    if args.check and before != after:
        raise cli.InputError(
            f"{args.file} lists other code than the steps import; python -m dawn.dvc_stages {args.file}"
        )
    if before != after:
        write_text(args.file, after)


if __name__ == "__main__":
    cli.run(main)
