"""The C library's memory, told to keep what a training step frees: the next step asks for the same again."""

import ctypes
import sys

TRIM, TOP_PAD, MAPS = -1, -2, -4  # mallopt's M_TRIM_THRESHOLD, M_TOP_PAD, M_MMAP_MAX
AHEAD = 64 << 20  # bytes asked of the system at a time


def keep_freed() -> bool:
    """Never give freed memory back; whether the C library (glibc) took it.

    A step in fp32 otherwise maps and clears a hundred thousand pages anew, a seventh of its time (docs/record.md).
    """
    if not sys.platform.startswith("linux"):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl has none
        return False
    return all(mallopt(what, value) == 1 for what, value in ((MAPS, 0), (TRIM, 2**31 - 1), (TOP_PAD, AHEAD)))
