"""How every step meets its user: one command line, one clear line when the input is bad."""

import argparse
import inspect
import io
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TextIO


class InputError(Exception):
    """Input that cannot be used. The message is one line: what, which value, what to do."""


def parser(step: Callable[..., object]) -> argparse.ArgumentParser:
    """A parser that shows the docstring of the step's module as its help."""
    module = inspect.getmodule(step)
    return argparse.ArgumentParser(
        prog=f"python -m {name(step)}",
        description=inspect.getdoc(module),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def name(step: Callable[..., object]) -> str:
    """``dawn.arrays``, also where the module runs as ``__main__``."""
    return f"dawn.{Path(inspect.getfile(step)).stem}"


def run(step: Callable[[], None]) -> None:
    """Run a step's ``main``; bad input ends it with one line and exit code 1, a missing file too.

    With ``DAWN_TRACEBACK=1`` the whole traceback is shown instead. With ``DAWN_LOG=FILE`` what goes to stderr goes
    to the file as well, but for progress bars, so that a terminal stays a terminal.
    """
    if log := os.environ.get("DAWN_LOG"):
        sys.stderr = Tee(sys.stderr, Path(log))
    try:
        step()
    except (InputError, OSError) as error:
        if os.environ.get("DAWN_TRACEBACK") == "1":
            raise
        first = os.environ.get("RANK", "0") == "0"  # of several processes with the same input, one speaks
        sys.exit(f"{name(step)}: {describe(error)}" if first else 1)


def describe(error: Exception) -> str:
    """The error in one line; an OSError by its reason and its file."""
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    return " ".join(str(error).split())


class Tee(io.TextIOBase):
    """A stream whose lines are also kept in a file; a bar's redrawn lines are not."""

    def __init__(self, stream: TextIO, path: Path) -> None:
        self.stream = stream
        path.parent.mkdir(parents=True, exist_ok=True)
        self.file = path.open("a", encoding="utf-8", buffering=1)

    def write(self, text: str) -> int:
        """Write to both."""
        if "\r" not in text and "\x1b" not in text:
            self.file.write(text)
        return self.stream.write(text)

    def flush(self) -> None:
        """Flush the stream."""
        self.stream.flush()

    def isatty(self) -> bool:
        """What the stream says."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """The stream's, for those who ask the terminal its width."""
        return self.stream.fileno()
