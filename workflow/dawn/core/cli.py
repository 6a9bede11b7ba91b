"""The command line of every step: shared options, logging to a file, one line for bad input."""

import argparse
import errno
import inspect
import io
import os
import re
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from dawn.core import out_of_memory
from dawn.core.host import of_launcher, working_in
from dawn.core.secrets import redacted

LARGEST_SEED = 2**32 - 1  # what the generators of numpy and torch both take
PATIENCE = 5.0  # seconds


class InputError(Exception):
    """Input that cannot be used. The message is one line: what, which value, what to do; it names no secret."""

    def __init__(self, message: str) -> None:
        super().__init__(redacted(message))


def parser(step: Callable[..., object]) -> argparse.ArgumentParser:
    """A parser that shows the docstring of the step's module as its help."""
    module = inspect.getmodule(step)
    return argparse.ArgumentParser(
        prog=f"python -m {name(step)}",
        description=inspect.getdoc(module),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


# Every one is a required path; a step that treats one otherwise declares it itself.
INPUTS = {
    "params": "the experiment, YAML",
    "data": "directory of the arrays",
    "stats": "channel statistics, JSON",
}


def add_inputs(parser: argparse.ArgumentParser, *names: str) -> None:
    """Add the named options of ``INPUTS``, such as ``--params FILE``."""
    for name in names:
        parser.add_argument(f"--{name}", type=Path, required=True, help=INPUTS[name])


REPLACED: list[str] = []  # what a command that a person called is to replace, which it says once it has done so


def output(text: str) -> Path:
    """The type of an option that names what is written; ``run`` says what is replaced where a person called it."""
    path = Path(text)
    by_hand = not os.environ.get("DAWN_LOG") and os.environ.get("RANK", "0") == "0"
    if by_hand and (path.is_file() or (path.is_dir() and any(path.iterdir()))):
        REPLACED.append(f"{path} was there: {'' if path.is_file() else 'files of the same names in it are '}replaced")
    return path


def add_out(parser: argparse.ArgumentParser, help: str) -> None:
    """Add ``--out``; ``help`` names what is written there and its format."""
    parser.add_argument("--out", type=output, required=True, help=help)


def add_seeds(parser: argparse.ArgumentParser) -> None:
    """Add the positional arguments ``seeds``, one directory for each seed."""
    parser.add_argument("seeds", type=Path, nargs="+", help="directories of the trained and evaluated seeds")


def whole(option: str, low: int, high: int) -> Callable[[str], int]:
    """The type of an option that is a whole number from ``low`` to ``high``."""

    def convert(text: str) -> int:
        digits = re.fullmatch("-?[0-9]{1,19}", text)
        if not digits or not low <= int(text) <= high:
            shown = text if digits else quoted(text, 30)
            raise InputError(f"{option} {shown}: a whole number from {low} to {high}")
        return int(text)

    return convert


def add_seed(parser: argparse.ArgumentParser, help: str, default: int | None = None) -> None:
    """Add ``--seed``, which is required where it has no default."""
    number = whole("--seed", 0, LARGEST_SEED)
    parser.add_argument("--seed", type=number, required=default is None, default=default, help=help)


def add_resume(parser: argparse.ArgumentParser) -> None:
    """Add ``--resume``, whose default is $DAWN_RESUME, else .resume."""
    default = Path(os.environ.get("DAWN_RESUME", ".resume"))
    parser.add_argument(
        "--resume", type=Path, default=default, help="directory of the checkpoints ($DAWN_RESUME or .resume)"
    )


def add_measurement(parser: argparse.ArgumentParser) -> None:
    """Add ``--measurement``, the file of the raw rows; without it none is written."""
    parser.add_argument("--measurement", type=Path, metavar="FILE", help="the raw rows, JSON (docs/measurements)")


def add_root(parser: argparse.ArgumentParser) -> None:
    """Add ``--root``, the checkout, whose default is the working directory."""
    parser.add_argument("--root", type=Path, default=Path(), help="the checkout (.)")


def name(step: Callable[..., object]) -> str:
    """``dawn.arrays``, also where the module runs as ``__main__``."""
    path = Path(inspect.getfile(step)).with_suffix("")
    return ".".join(path.parts[len(path.parts) - path.parts[::-1].index("dawn") - 1 :])


def run(step: Callable[[], None]) -> None:
    """Run a step's ``main``; bad input ends it with one line and exit code 1, a missing file or too little memory too.
    The line says where its paths start, if that is the directory of an experiment with a name.

    ``DAWN_TRACEBACK=1`` shows the whole traceback instead. ``DAWN_LOG=FILE`` copies stderr to the file, except
    progress bars; stderr itself stays a terminal. Nothing that is written to it names a secret.
    """
    try:
        log = os.environ.get("DAWN_LOG")
        sys.stdout = Printed(bare(sys.stdout))
        sys.stderr = Printed(bare(sys.stderr), Path(log) if log else None, redacted)
        REPLACED.clear()
        with _unwound():
            step()
        for text in REPLACED:
            print(text, file=sys.stderr)
        _flush()
    except Exception as error:
        if isinstance(error, OSError) and error.errno == errno.ENOSPC and not error.filename:  # files have their names
            error.filename = "standard output"
        of_memory = out_of_memory.explain(error)
        line = describe(error) if isinstance(error, InputError) else of_memory
        if line is None and isinstance(error, OSError):
            line = describe(error)
        if line is None or os.environ.get("DAWN_TRACEBACK") == "1":
            raise
        if of_memory:
            out_of_memory.release(error)
        if rank := of_launcher("RANK"):  # all may fail alike: meanwhile torchrun ends this one where the first has
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
            time.sleep(PATIENCE)
        where = f" in {place}" if (place := working_in()) else ""
        sys.exit(f"{name(step)}{where}: {line}{f' (rank {rank})' if rank else ''}")


@contextmanager
def _unwound() -> Iterator[None]:
    """End a step on SIGTERM and SIGINT as an exception does, so that its partial files and processes go with it."""
    ours = signal.getsignal(signal.SIGTERM) == signal.SIG_DFL and threading.current_thread() is threading.main_thread()
    if ours:
        signal.signal(signal.SIGTERM, lambda number, _: sys.exit(128 + number))
    try:
        yield
    except KeyboardInterrupt:
        sys.exit(128 + signal.SIGINT)
    finally:
        if ours:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _flush() -> None:
    """Write what was printed; standard output is closed where that fails."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # the interpreter flushes again at its end
        raise


def quoted(value: object, limit: int = 80) -> str:
    """Text from outside as a message may show it: in quotes, escaped, and cut at ``limit`` characters."""
    text = str(value)
    return repr(text[:limit]) + (f"... ({len(text)} characters)" if len(text) > limit else "")


def listed(values: Collection[object], most: int = 20) -> str:
    """Values from outside in quotes, the first of many, and how many more there are."""
    more = f" and {len(values) - most:,} more" if len(values) > most else ""
    return ", ".join(quoted(value) for value in list(values)[:most]) + more


def describe(error: Exception) -> str:
    """The error in one line; an OSError by its reason and its file."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:  # of two files the second is the one that is written
        name = error.filename2 or error.filename
        text = f"{error.strerror}: {name}" if name else error.strerror
    return printable(" ".join(text.split()))


def printable(text: str, kept: str = "") -> str:
    """Text from outside in which nothing moves a cursor or turns the direction: what is not printable is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c in kept else c.encode("unicode_escape").decode() for c in text)


def bare(stream: TextIO) -> TextIO:
    """The stream below ``Printed``, for a progress bar, which moves the cursor."""
    return stream.stream if isinstance(stream, Printed) else stream


class Printed(io.TextIOBase):
    """A stream that escapes what is not printable, such as escape sequences in names; may copy its lines to a file.

    ``shown`` changes each text before, such as ``redacted`` for messages.
    """

    def __init__(self, stream: TextIO, path: Path | None = None, shown: Callable[[str], str] = str) -> None:
        self.stream, self.file, self.shown = stream, None, shown
        if isinstance(stream, io.TextIOWrapper):  # a name that the terminal's charset does not have is printed escaped
            stream.reconfigure(errors="backslashreplace")
        if path:
            path.parent.mkdir(parents=True, exist_ok=True)
            self.file = path.open("a", encoding="utf-8", errors="backslashreplace", buffering=1)

    def write(self, text: str) -> int:
        """Write to both."""
        shown = printable(self.shown(text), kept="\n\t")
        if self.file:
            with suppress(OSError):  # a full disk is no reason to stop, and what is written says so
                self.file.write(shown)
        self.stream.write(shown)
        return len(text)

    def flush(self) -> None:
        """Flush the stream."""
        self.stream.flush()

    def isatty(self) -> bool:
        """Return whether the stream is a terminal."""
        return self.stream.isatty()

    def fileno(self) -> int:
        """The stream's file descriptor, by which a progress bar finds the terminal's width."""
        return self.stream.fileno()
