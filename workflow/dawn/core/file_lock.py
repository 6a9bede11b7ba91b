"""A lock that a process holds on a file until it ends, however it ends: flock."""

import errno
import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

UNSUPPORTED = (errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP)  # of a file system without flock


def silent() -> None:
    """Wait without a word."""


def acquire(path: Path, waiting: Callable[[], None] | None = None) -> int | None:
    """Return the descriptor of the open file ``path`` with its lock held; closing it releases the lock.

    Where another process holds it, ``waiting`` is called once and the lock awaited; without ``waiting`` None is
    returned. On a file system without flock no process excludes another.
    """
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            file = os.open(path, os.O_CREAT | os.O_WRONLY, 0o666)
        except FileNotFoundError:  # the directory was deleted by the process that held the lock
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if waiting is None:
                os.close(file)
                return None
            waiting()
            fcntl.flock(file, fcntl.LOCK_EX)
            waiting = silent  # it was said once
        except OSError as error:
            if error.errno in UNSUPPORTED:
                return file
            os.close(file)
            raise
        with suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(file), path.stat()):
                return file
        os.close(file)  # its last holder deleted the file meanwhile


@contextmanager
def exclusive(path: Path, waiting: Callable[[], None] = silent) -> Iterator[None]:
    """Hold the lock of a file for the block, and delete the file at its end."""
    file = acquire(path, waiting)
    assert file is not None
    try:
        yield
    finally:
        path.unlink(missing_ok=True)
        os.close(file)
