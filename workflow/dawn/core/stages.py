"""The pipeline of DVC: dvc.yaml is workflow/dvc/TASK.yaml with the modules that each of its stages imports."""

import os
import re
from pathlib import Path

from dawn.core.cli import InputError
from dawn.core.code_deps import HERE, closure

MARK = re.compile(r"( *)# code of: (.+)")
JUDGES, END = "# only with judges", "# end"  # lines around what an experiment without judges leaves out
PACKAGE = "workflow/dawn/"
FILE = "dvc.yaml"


def pipeline(root: Path, task: str, has_judges: bool) -> str:
    """The text of dvc.yaml for a task, with judges or without, in the checkout ``root``."""
    path = root / "workflow/dvc" / f"{task}.yaml"
    if not path.is_file():
        raise InputError(f"task = {task} has no pipeline of DVC, {path}; run it with snakemake")
    text = listed(path.read_text(encoding="utf-8"), has_judges)
    return f"# Of workflow/dvc/{task}.yaml, by python -m dawn.dvc_stages.\n{text}"


def listed(text: str, has_judges: bool) -> str:
    """The text with a list of files after each comment such as ``# code of: train launch``."""
    lines: list[str] = []
    kept = True
    for line in text.splitlines():
        if line.strip() in (JUDGES, END):
            kept = has_judges or line.strip() == END
            continue
        if not kept:
            continue
        lines.append(line)
        if mark := MARK.fullmatch(line):
            lines += [f"{mark[1]}- {path}" for path in files(mark[2].split())]
    return "\n".join(lines) + "\n"


def files(steps: list[str]) -> list[str]:
    """The files that several steps import, each once, relative to the root of the checkout."""
    found = {path for step in steps for path in closure(step)}
    return sorted(PACKAGE + os.path.relpath(path, HERE) for path in found)
