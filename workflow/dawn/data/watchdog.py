"""A time limit on an HTTP exchange that holds whatever the server does: byte by byte, header by header.

A socket's own timeout starts again at every byte that arrives, so it does not bound an answer that trickles in.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool


class Watchdog:
    """Shuts the watched sockets down when the time is up, unless ``renew`` is called before; ends with its block."""

    def __init__(self, seconds: float) -> None:
        self.fired = False
        self.until = time.monotonic() + seconds
        self.sockets: list[socket.socket] = []
        self.changed = threading.Condition()
        self.thread: threading.Thread | None = threading.Thread(target=self._wait, daemon=True)

    def __enter__(self) -> Self:
        if self.thread:
            self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        with self.changed:
            thread, self.thread = self.thread, None
            self.changed.notify()
        if thread:
            thread.join()
        for copy in self.sockets:
            copy.close()

    def watch(self, connected: socket.socket) -> None:
        """Shut this socket down as well when the time is up; a copy, since TLS takes the original over."""
        with self.changed:
            self.sockets.append(connected.dup())
            if self.fired:
                self._shut()

    def renew(self, seconds: float) -> None:
        """Let the time end so many seconds from now."""
        with self.changed:
            self.until = time.monotonic() + seconds
            self.changed.notify()

    def _wait(self) -> None:
        with self.changed:
            while self.thread and (left := self.until - time.monotonic()) > 0:
                self.changed.wait(left)
            if self.thread:
                self.fired = True
                self._shut()

    def _shut(self) -> None:
        for copy in self.sockets:
            with suppress(OSError):  # closed by the server already
                copy.shutdown(socket.SHUT_RDWR)


class WatchedSession(requests.Session):
    """A session whose connections a watchdog watches, and which leaves redirects, and their bodies, alone."""

    def __init__(self, watchdog: Watchdog) -> None:
        super().__init__()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _adapter(watchdog))

    def get_redirect_target(self, response: requests.Response) -> None:
        """None: requests would read the whole body of a redirect, also when it is not to follow it."""


def _adapter(watchdog: Watchdog) -> HTTPAdapter:
    """An adapter whose connections, also those to and through a proxy, are watched from their first byte."""

    class Plain(HTTPConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            watchdog.watch(connected)
            return connected

    class Secure(HTTPSConnection):
        def _new_conn(self) -> socket.socket:
            connected = super()._new_conn()
            watchdog.watch(connected)
            return connected

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    class Adapter(HTTPAdapter):
        def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
            super().init_poolmanager(*args, **kwargs)
            self.poolmanager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}

        def proxy_manager_for(self, *args: Any, **kwargs: Any) -> Any:
            manager = super().proxy_manager_for(*args, **kwargs)
            manager.pool_classes_by_scheme = {"http": PlainPool, "https": SecurePool}
            return manager

    return Adapter()
