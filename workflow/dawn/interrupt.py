"""SIGTERM and SIGINT as a wish that the loop grants between two steps."""

import os
import signal
import threading
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
