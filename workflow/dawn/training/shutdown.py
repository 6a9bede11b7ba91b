"""SIGTERM and SIGINT as a wish that the loop grants between two steps."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

EXIT_CODE = 75  # EX_TEMPFAIL: try again, and it goes on
PATIENCE = 20.0  # seconds a process other than the first waits for the first to save


class Interrupted(Exception):
    """The training stopped because it was asked to, its state kept."""


class Interrupt:
    """Becomes ``requested`` at the first signal. The first process then saves and leaves, the others wait for that.

    Another process may be stuck in an exchange with the first by then, so it leaves by itself after a while.
    """

    def __init__(self, first: bool) -> None:
        self.first, self.requested = first, False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._hear)

    def _hear(self, number: int, frame: FrameType | None) -> None:
        if not self.requested and not self.first:
            timer = threading.Timer(PATIENCE, os._exit, (EXIT_CODE,))
            timer.daemon = True
            timer.start()
        self.requested = True


@contextmanager
def leaving_together(interrupt: Interrupt) -> Iterator[None]:
    """Take an exchange that failed because another process has left for what it is: that one said why, or was asked."""
    try:
        yield
    except RuntimeError as error:
        if interrupt.requested:  # the first process has saved and left
            raise Interrupted from None
        if not interrupt.first and "by peer" in str(error):
            sys.exit(1)
        raise
