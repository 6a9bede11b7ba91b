"""The C library's memory allocator: freed memory is kept for the next training step, which needs the same again."""

import ctypes
import sys
from collections.abc import Callable

TRIM, TOP_PAD, MAPS = -1, -2, -4  # mallopt's M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
AHEAD = 64 << 20  # bytes requested from the system at a time


def keep_freed() -> bool:
    """Keep freed memory in the process. Return whether the C library (glibc) accepted the settings.

    Otherwise a step in fp32 maps and clears a hundred thousand pages again, a seventh of its time (docs/airbench.md).
    """
    mallopt = _from_glibc("mallopt")
    return mallopt is not None and all(
        mallopt(what, value) == 1 for what, value in ((MAPS, 0), (TRIM, 2**31 - 1), (TOP_PAD, AHEAD))
    )


def give_back() -> bool:
    """Return freed memory to the system, so that resident memory is in use. Return whether there was any."""
    trim = _from_glibc("malloc_trim")
    return trim is not None and trim(0) == 1


def _from_glibc(name: str) -> Callable[..., int] | None:
    """Return a function of glibc; None with another C library."""
    if not sys.platform.startswith("linux"):
        return None
    try:
        function: Callable[..., int] = getattr(ctypes.CDLL(None), name)
    except (OSError, AttributeError):  # musl has none
        return None
    return function
