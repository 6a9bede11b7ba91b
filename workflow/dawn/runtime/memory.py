"""The C library's memory, told to keep what a training step frees: the next step asks for the same again."""

import ctypes
import sys
from collections.abc import Callable

TRIM, TOP_PAD, MAPS = -1, -2, -4  # mallopt's M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
AHEAD = 64 << 20  # bytes asked of the system at a time


def keep_freed() -> bool:
    """Never give freed memory back; whether the C library (glibc) took it.

    A step in fp32 otherwise maps and clears a hundred thousand pages anew, a seventh of its time (docs/airbench.md).
    """
    mallopt = _from_glibc("mallopt")
    return mallopt is not None and all(
        mallopt(what, value) == 1 for what, value in ((MAPS, 0), (TRIM, 2**31 - 1), (TOP_PAD, AHEAD))
    )


def give_back() -> bool:
    """Give freed memory back after all, so that what is resident is in use; whether there was any."""
    trim = _from_glibc("malloc_trim")
    return trim is not None and trim(0) == 1


def _from_glibc(name: str) -> Callable[..., int] | None:
    """A function of glibc's own; None where another C library is in its place."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        found: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):  # musl has none
        return None
    return found
