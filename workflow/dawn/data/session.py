"""A session of requests with a time limit that holds whatever the server does: byte by byte, header by header.

A socket's own timeout starts again at every byte that arrives, so it does not bound an answer that trickles in.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter

from dawn.core import cli
from dawn.data.source import SourceError

REDIRECTS = 10  # at most
PRECISION = 0.05  # seconds


class Session(requests.Session):
    """Shuts its connections down when the time is up, and follows redirects without reading their bodies."""

    def __init__(self, seconds: float) -> None:
        super().__init__()
        self.max_redirects = REDIRECTS
        self.headers["Accept-Encoding"] = "identity"
        for scheme in ("http://", "https://"):
            self.mount(scheme, WatchedAdapter(self))
        self.sockets: list[socket.socket] = []
        self.ended, self.late = threading.Event(), False
        self.renew(seconds)
        self.thread = threading.Thread(target=self._watch, daemon=True)
        self.thread.start()

    def renew(self, seconds: float) -> None:
        """Let the time end so many seconds from now."""
        self.until = time.monotonic() + seconds

    def _watch(self) -> None:
        while not self.ended.wait(PRECISION):
            if self.late or time.monotonic() > self.until:
                self.late = True
                for copy in list(self.sockets):
                    with suppress(OSError):  # closed by the server already
                        copy.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        """End the time limit and the connections."""
        self.ended.set()
        self.thread.join()
        for copy in self.sockets:
            copy.close()
        super().close()

    def get_redirect_target(self, response: requests.Response) -> str | None:
        """Return where a redirect leads; None if the answer is no redirect."""
        if not response.is_redirect:
            return None
        response.close()  # requests would read the whole body
        return redirected(response.url, response.headers["Location"])


class WatchedAdapter(HTTPAdapter):
    """Gives a session connections, also those to and through a proxy, that it watches from their first byte."""

    def __init__(self, session: Session) -> None:
        super().__init__()
        self.session = session

    def get_connection_with_tls_context(self, *args: Any, **kwargs: Any) -> Any:
        """A pool of such connections."""
        pool: Any = super().get_connection_with_tls_context(*args, **kwargs)
        if not issubclass(pool.ConnectionCls, Watched):
            pool.ConnectionCls = type("Connection", (Watched, pool.ConnectionCls), {"session": self.session})
        return pool


class Watched:
    """Gives the session a copy of the socket of a connection, since TLS takes the original over."""

    session: Session

    def _new_conn(self) -> socket.socket:
        connected: socket.socket = super()._new_conn()  # type: ignore[misc]
        self.session.sockets.append(connected.dup())
        return connected


def redirected(url: str, location: str) -> str:
    """Return the URL that a redirect from ``url`` leads to: http or https, never from https to http."""
    try:
        target = urljoin(url, location.encode("latin-1").decode())
        parts = urlsplit(target)
        known = parts.scheme in ("http", "https") and parts.hostname and not parts.username and (parts.port or True)
    except ValueError:  # no UTF-8, no such IPv6 address, no such port
        known = False
    if not location or not known or (url.startswith("https:") and parts.scheme != "https"):
        raise SourceError(f"a redirect to {cli.quoted(location)}, which is not followed")
    return target
