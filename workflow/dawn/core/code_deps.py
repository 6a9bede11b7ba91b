"""The modules that a command runs: an edit to any of them is a reason to run it again."""

import hashlib
import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

HERE = Path(__file__).resolve().parents[1]
# Packages that only report on a run and decide no number: an edit to them is no cause, and checkpoints stay valid.
REPORTING = ("monitoring",)
FINGERPRINTED = (
    "params.yaml", "Snakefile", "workflow/**/*.smk", "workflow/dawn/**/*.py", "workflow/dawn/**/*.cpp",
    "workflow/dawn/**/*.h", "workflow/networks/*.py",
)  # fmt: skip
# A line that imports from the package. Parsing the files would make the start of every snakemake ten times slower.
IMPORT = re.compile(r"^ *(?:from (dawn[\w.]*) import (\([^)]*\)|[^\n(#]+)|import (dawn[\w.]*))", re.MULTILINE)
INCLUDE = re.compile(r'^#include "([\w.]+)"', re.MULTILINE)  # of a C++ file


def closure(*modules: str) -> list[Path]:
    """The sorted files of modules, such as ``tasks.gan.train``, and of all that they import; no ``REPORTING``.

    The import lines are read, not run, so the Snakefile calls this without importing torch.
    """
    return list(_closure(HERE, modules))


@cache
def _closure(here: Path, modules: tuple[str, ...]) -> tuple[Path, ...]:
    """The closure in the package at ``here``, computed once, since each job of Snakemake asks for it."""
    seen: set[Path] = set()
    waiting = [_path(module) for module in modules]
    while waiting:
        path = waiting.pop()
        if path not in seen and path.relative_to(here).parts[0] not in REPORTING:
            seen.add(path)
            waiting += imports(path)
    return tuple(sorted(seen))


def code(commands: Sequence[str], task: str, chosen: Iterable[tuple[str, str]] = ()) -> list[Path]:
    """The sorted files that decide what commands do for a task: the commands', and those that they import by name.

    These are the declaration of the task, its modules for the commands, and of ``chosen``, the modules that settings
    choose (``Task.modules``), those whose importer is one of the files.
    """
    modules = [f"tasks.{task}.{name}" for name in ("task", *commands)]
    files = closure(*commands, *(module for module in modules if _path(module).is_file()))
    named = [module for importer, module in chosen if _path(importer) in files]
    return sorted({*files, *closure(*named)})


def _path(module: str) -> Path:
    return HERE / f"{module.replace('.', '/')}.py"


@cache
def imports(path: Path) -> tuple[Path, ...]:
    """The package's files that one file imports, at its top or inside a function, or that a C++ file includes."""
    text, names = path.read_text(encoding="utf-8"), set[str]()
    if path.suffix != ".py":
        return tuple(path.with_name(name) for name in INCLUDE.findall(text))
    for module, several, single in IMPORT.findall(text):
        below = [name.split()[0] for name in re.split(r"[(),]", several) if name.strip()]
        names |= {module or single, *(f"{module}.{name}" for name in below)}
    files = [file for name in names for file in _files(name)]
    return tuple(sorted(set(files)))


def _files(name: str) -> list[Path]:
    """The file of a dotted module name, the C++ file of the same name if there is one, and the ``__init__`` of each
    package above it; none for a name in a module.
    """
    parts = name.split(".")[1:]
    module = HERE.joinpath(*parts).with_suffix(".py") if parts else HERE / "__init__.py"
    packages = [HERE.joinpath(*parts[:i]) / "__init__.py" for i in range(len(parts) + 1)]
    return [path for path in (module, module.with_suffix(".cpp"), *packages) if path.is_file()]


def fingerprint(root: Path) -> str:
    """One checksum over params.yaml, the Snakefile, the rules, the package and the networks next to it."""
    digest = hashlib.sha256()
    for path in sorted(path for name in FINGERPRINTED for path in root.glob(name)):
        digest.update(f"{path.relative_to(root)} {hashlib.sha256(path.read_bytes()).hexdigest()}\n".encode())
    return digest.hexdigest()
