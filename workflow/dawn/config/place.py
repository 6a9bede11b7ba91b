"""Where an experiment lies: that of params.yaml where snakemake is called, any other in a directory of its own."""

import re
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path
from urllib.parse import urlsplit

from dawn.config.plan import slug
from dawn.core.cli import InputError
from dawn.core.host import EXPERIMENTS

LONGEST = 100  # characters of a name
USES = ("app", "compare", "crate", "model_card", "plots")  # targets that use finished results, and train nothing
USED = ("crate.zip", "model-card.md")  # how files end that are such targets


def name_of(chosen: str | None, files: Iterable[Path], params: Path) -> str:
    """Return the name of an experiment: ``chosen``, else that of its files of settings; empty for params.yaml alone."""
    others = [path for path in files if path.resolve() != params.resolve()]
    if chosen is None and not others:
        return ""
    name = "+".join(slug(path.stem) for path in others) if chosen is None else chosen
    if not all(part and part == slug(part) for part in name.split("+")) or len(name) > LONGEST:
        given = ", ".join(map(str, others)) if chosen is None else f"name = {chosen}"
        raise InputError(
            f"{given}: cannot name a directory of results; give up to {LONGEST} letters, digits and . _ + - in "
            "--config name=NAME"
        )
    return name


def archive_name(url: str) -> str:
    """Return the file name of a downloaded archive: only plain characters, as Snakemake takes braces for wildcards."""
    return re.sub(r"[^A-Za-z0-9_.+-]+", "-", Path(urlsplit(url).path).name or "archive")


def folder(name: str) -> str:
    """Return the directory of an experiment, from where snakemake is called; empty for params.yaml alone."""
    return f"{EXPERIMENTS}/{name}" if name else ""


def any_use(words: Iterable[str]) -> bool:
    """Return whether one of the words is a target that uses finished results."""
    return any(word in USES or word.endswith(USED) for word in words)


def only_uses(targets: Iterable[str]) -> bool:
    """Return whether all targets, of which there are some, use finished results."""
    listed = list(targets)
    return bool(listed) and all(any_use([target]) for target in listed)


def command(target: str, name: str, files: Sequence[str] = (), chosen: Sequence[str] = (), place: str = "") -> str:
    """Return the command line for a target of an experiment: of its files of settings, or by its name."""
    words = ["snakemake", *([target] if target else []), *(["--directory", place] if place else [])]
    words += ["--configfile", *files] if files else []
    settings = [*chosen, *([f"name={name}"] if name and not files else [])]
    return shlex.join([*words, *(["--config", *settings] if settings else [])])
