"""SIGTERM and SIGINT: finish the current step, write a checkpoint, exit."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from dawn.core.cli import InputError

EXIT_CODE = 75  # EX_TEMPFAIL: run again to continue
DIVERGED = 76  # the loss is not finite: with other settings it may be, so a search goes on
GRACE = 20.0  # seconds that a process other than the first waits for the first to save and leave


class Diverged(InputError):
    """The loss is NaN or infinite."""


class Interrupted(Exception):
    """The training stopped on request, its checkpoint written."""


class StopRequest:
    """A request to stop: ``requested`` is set by the first SIGTERM or SIGINT.

    The first process then saves and leaves. Another one may be waiting in a collective operation with the first by
    then, so it exits by itself after a while.
    """

    def __init__(self, first: bool) -> None:
        self.first, self.requested = first, False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._request)

    def _request(self, number: int, frame: FrameType | None) -> None:
        if not self.requested and not self.first:
            timer = threading.Timer(GRACE, os._exit, (EXIT_CODE,))
            timer.daemon = True
            timer.start()
        self.requested = True


@contextmanager
def stopping_together(stop: StopRequest) -> Iterator[None]:
    """Handle a collective operation that failed because another process was stopped, and left."""
    try:
        yield
    except RuntimeError:
        if stop.requested:  # the first process has saved and left
            raise Interrupted from None
        raise
