"""Errors that say that memory ran out, whichever library raises them, in one line."""

import errno
import gc
import re
import sys
import traceback
from types import TracebackType

# Of torch's allocators, of C++, of oneDNN, of the loader of shared libraries, of threads that get no stack.
WORDS = re.compile(
    r"out of memory|(can't|cannot|could not|unable to|failed to) allocate|not enough memory|bad_alloc|bad allocation"
    r"|could not create a memory|failed to map segment|can't start new thread",
    re.IGNORECASE,
)
AMOUNT = re.compile(r"allocate (?:a total of )?(\d[\d.]* ?[KMGT]?i?B\b|\d+ bytes)")


def explain(error: BaseException | None) -> str | None:
    """Return one line for an error, or None where it is not of memory."""
    by_kind = isinstance(error, MemoryError) or (isinstance(error, OSError) and error.errno == errno.ENOMEM)
    by_words = isinstance(error, (RuntimeError, ImportError, OSError)) and WORDS.search(str(error))
    if not by_kind and not by_words:
        return None
    amount = AMOUNT.search(str(error))
    size = f" ({readable(amount[1])} were asked for)" if amount else ""
    return f"too little memory{size}; free some, raise the limit of this process or job, or use a larger machine"


def release(error: BaseException | None) -> None:
    """Free what the functions that an error passed through still hold, so that the interpreter has memory to end."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__cause__ or error.__context__
    gc.collect()


def pass_on(error: Exception) -> None:
    """Raise an error of memory again, where all others mean that a file is damaged."""
    if explain(error):
        raise error


def readable(amount: str) -> str:
    """``98304000000 bytes`` as ``98.3 GB``; other amounts as they are."""
    count = amount.removesuffix(" bytes")
    if count == amount:
        return amount
    size, unit = float(count), "bytes"
    for name in ("kB", "MB", "GB", "TB"):
        if size >= 1000:
            size, unit = size / 1000, name
    return f"{size:.3g} {unit}"


def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """``sys.excepthook`` of the commands, for what happens before they start: libraries that memory does not hold."""
    if line := explain(error):
        print(f"{' '.join(sys.orig_argv[2:3])}: {line}", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)
