"""Signs of life between the processes of one training: where one is stopped or lost, the others end in bounded time."""

import os
import socket
import sys
import threading
import time
from contextlib import suppress
from datetime import timedelta
from typing import Any

from torch.distributed import PrefixStore, rendezvous  # type: ignore[attr-defined]

from dawn.core.cli import InputError, describe, quoted
from dawn.core.host import of_launcher

CONNECT = 60.0  # seconds
LEFT = 1 << 40  # the beats of a process that has finished


def store_of_torchrun(limit: float) -> Any:
    """Return the key-value store through which the processes of torchrun find each other, within ``limit`` seconds."""
    address, port = os.environ.get("MASTER_ADDR", ""), os.environ.get("MASTER_PORT", "")
    try:
        if of_launcher("RANK") or os.environ.get("TORCHELASTIC_USE_AGENT_STORE") == "True":  # else it is the server
            require_answer(address, int(port), min(limit, CONNECT))
        return next(iter(rendezvous("env://", timeout=timedelta(seconds=limit))))[0]
    except (ValueError, OSError, RuntimeError) as error:
        raise InputError(
            f"torchrun's store at MASTER_ADDR = {quoted(address)}, MASTER_PORT = {quoted(port)} does not answer "
            f"({describe(error)[:100]}); outside of torchrun unset TORCHELASTIC_RUN_ID, WORLD_SIZE and RANK"
        ) from error


def require_answer(address: str, port: int, seconds: float) -> None:
    """Wait until a server answers; torch itself would print a page while it tries."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        with suppress(OSError), socket.create_connection((address, port), end - time.monotonic()):
            return
        time.sleep(0.2)
    raise TimeoutError(f"no answer for {seconds:g} s")


class Heartbeat(threading.Thread):
    """Counts up a number in the store of torchrun, and ends this process when that of another one stands still.

    A thread, since the process itself waits in a collective operation that never ends. ``limit`` is in seconds, in
    which the time does not count when this process itself was stopped.
    """

    def __init__(self, store: Any, rank: int, size: int, limit: float) -> None:
        super().__init__(daemon=True, name="heartbeat")
        self.rank, self.limit, self.done = rank, limit, threading.Event()
        # A connection of its own, since one operation on a connection waits for the one before it.
        self.store = PrefixStore("heartbeat", store.clone())
        self.store.set(f"place {rank}", f"process {os.getpid()} on {socket.gethostname()}")
        self.beats = [0] * size
        self.silent = [0.0] * size  # seconds since the last beat of each
        self.interval = min(5.0, limit / 10)

    def run(self) -> None:
        """Beat until ``leave``, or until another process has been silent for too long."""
        before = time.monotonic()
        while not self.done.wait(self.interval):
            now = time.monotonic()
            try:
                self.look(min(now - before, 2 * self.interval))
            except RuntimeError:  # the store is gone: torchrun ends, and its processes with it
                return
            before = now

    def look(self, passed: float) -> None:
        """Beat once and look at the others, ``passed`` seconds after the last time."""
        self.store.add(str(self.rank), 1)
        for other in range(len(self.beats)):
            beats = self.store.add(str(other), 0)
            self.silent[other] = 0.0 if beats != self.beats[other] or beats >= LEFT else self.silent[other] + passed
            self.beats[other] = beats
        if max(self.silent) > self.limit:
            self.end()

    def end(self) -> None:
        """End this process; the first to do so says which are missing."""
        if self.store.add("reported", 1) == 1:
            print(f"dawn: {self.missing()}", file=sys.stderr, flush=True)
        else:
            time.sleep(2)
        os._exit(os.EX_TEMPFAIL)

    def missing(self) -> str:
        """Name the processes that are missing."""
        ranks = [rank for rank, seconds in enumerate(self.silent) if seconds > self.limit]
        known = [rank for rank in ranks if self.store.check([f"place {rank}"])]
        names = [f"rank {n} ({self.store.get(f'place {n}').decode()})" if n in known else f"rank {n}" for n in ranks]
        what = "gave no sign" if known else "did not start"
        more = f" and {len(names) - 4} more" if len(names) > 4 else ""
        return (
            f"{', '.join(names[:4])}{more} of {len(self.beats)} processes {what} for {self.limit / 60:g} minutes "
            "(run.timeout); run the same command again: a training continues from its last checkpoint"
        )

    def leave(self) -> None:
        """This process has finished, and the others need not wait for it."""
        self.done.set()
        self.join()
        with suppress(RuntimeError):
            self.store.add(str(self.rank), LEFT)
