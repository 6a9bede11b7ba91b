"""Atomic writing: a file that a step writes is complete or absent."""

import csv
import errno
import glob
import hashlib
import io
import json
import os
import re
import socket
import stat
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from dawn.core.cli import InputError

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS)  # of a file that cannot grow
UNSUPPORTED = (errno.EOPNOTSUPP, errno.EINVAL, errno.ENOSYS)  # of a file system that cannot reserve space
IN_TEXT = re.compile(r"\(os error (\d+)\)")  # as libraries written in Rust print an error of the system
OF_TORCH = re.compile("iostream|inline_container")  # of its writer, which does not say what the system said
HOST = socket.gethostname()
FORMULA = re.compile(r"\A'*[=+\-@\t\r]")  # how a cell starts that a spreadsheet runs, or that looks like one made safe
QUOTED = re.compile(r"\A'(?='*[=+\-@\t\r])")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A temporary path next to ``path`` that replaces it at the end of the block, and is deleted after an exception.

    Its name is this process's own, so that two processes that write the same file do not write into one another's. The
    file has the permissions of the umask, whoever created it. An InputError where it cannot be written, as on a full
    disk.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    _delete_abandoned(path)
    partial = partial_path(path)
    try:
        yield partial
        with partial.open("rb") as written:
            os.fsync(written.fileno())
        umask = os.umask(0)
        os.umask(umask)
        partial.chmod(0o666 & ~umask)
        partial.replace(path)
    except InputError:  # it says already what cannot be written
        raise
    except Exception as error:
        if reason := _unwritable(error, partial):
            raise InputError(f"{path} cannot be written ({reason}); run this again when it can") from error
        raise
    finally:
        with suppress(FileNotFoundError):
            partial.unlink()


@contextmanager
def naming(path: Path) -> Iterator[None]:
    """In the block ``path`` is written: an error of the system about that, which has no name, gets this one."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            error.filename = str(path)
        raise


def _unwritable(error: BaseException | None, partial: Path) -> str | None:
    """Why the temporary file cannot be written, in the words of the system; None for an error of another kind.

    torch, safetensors and numpy have errors of their own, with the system's in a chain, in their text, or lost.
    """
    of_torch = False
    while error is not None:
        if isinstance(error, OSError) and error.filename in (None, str(partial)):
            if error.errno in FULL or error.filename:
                return error.strerror or str(error)
            if "requested and" in str(error):  # numpy
                return str(error)
        if code := IN_TEXT.search(str(error)):
            return os.strerror(int(code[1]))
        of_torch = of_torch or (isinstance(error, RuntimeError) and OF_TORCH.search(str(error)) is not None)
        error = error.__cause__ or error.__context__
    return _probed(partial) if of_torch else None


def _probed(path: Path) -> str:
    """Why a file cannot grow, by an attempt to write more to it."""
    try:
        with path.open("ab", buffering=0) as file:
            for _ in range(256):
                file.write(bytes(1 << 16))
    except OSError as error:
        return error.strerror or str(error)
    return "it was not written as a whole"


def partial_path(path: Path) -> Path:
    """The temporary path of this process next to ``path``."""
    return path.with_name(f".{path.name}.{HOST}.{os.getpid()}.partial")


def _delete_abandoned(path: Path) -> None:
    """Delete the temporary files of processes of this host that were killed while they wrote ``path``."""
    for partial in path.parent.glob(f".{glob.escape(path.name)}.{glob.escape(HOST)}.*.partial"):
        number = partial.name.split(".")[-2]
        if number.isdigit() and not Path("/proc", number).exists():
            partial.unlink(missing_ok=True)


def require_room(directory: Path, size: int) -> None:
    """Raise an InputError unless ``size`` bytes can be written in a directory, which need not exist yet."""
    place = next(path for path in (directory, *directory.absolute().parents) if path.exists())
    probe = partial_path(place / "room")
    try:
        with probe.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(1, size))
    except OSError as error:
        if error.errno in UNSUPPORTED:  # writing will show
            return
        what = f"{error.strerror}; {size / 1e6:,.1f} MB will be written there"
        raise InputError(f"{directory} cannot be written ({what}): make room or choose another directory") from error
    finally:
        with suppress(OSError):
            probe.unlink()


def write_text(path: Path, text: str) -> None:
    """Write text, atomically."""
    with replacing(path) as partial:
        partial.write_text(text, encoding="utf-8")


def write_json(path: Path, value: Any) -> None:
    """Write JSON, indented, atomically; NaN and infinity are refused, since JSON has neither."""
    write_text(path, json.dumps(value, indent=2, allow_nan=False) + "\n")


def write_table(path: Path, columns: Sequence[str], rows: Iterable[Sequence[object]], separator: str = "\t") -> None:
    """Write a header and rows, tab-separated by default, atomically; see ``table_text``."""
    write_text(path, table_text(columns, rows, separator))


def table_text(columns: Sequence[str], rows: Iterable[Sequence[object]], separator: str = ",") -> str:
    """A header and rows as text that the module csv reads; None is an empty cell.

    Text that a spreadsheet would run as a formula has an apostrophe before it, which ``dawn.core.reading`` takes away.
    """
    return "".join(_line(row, separator) for row in (columns, *rows))


def _line(row: Sequence[object], separator: str) -> str:
    """One row. By its line end the module quotes each cell that holds a part of it, so a lone carriage return too."""
    out, end = io.StringIO(), "\r\n"
    cells = [FORMULA.sub(r"'\g<0>", cell) if isinstance(cell, str) else cell for cell in row]
    csv.writer(out, delimiter=separator, lineterminator=end).writerow(cells)
    return out.getvalue().removesuffix(end) + "\n"


def open_plain(path: Path) -> io.BufferedReader:
    """Open a file to read; an OSError where it is a FIFO, from which a reader waits, or a device, which has no end."""
    file = open(path, "rb", opener=lambda name, flags: os.open(name, flags | os.O_NONBLOCK))  # noqa: SIM115
    if stat.S_ISREG(mode := os.fstat(file.fileno()).st_mode):
        return file
    file.close()
    raise OSError(errno.EINVAL, f"{'a FIFO' if stat.S_ISFIFO(mode) else 'a device'}, not a file", str(path))


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    with open_plain(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
