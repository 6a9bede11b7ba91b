"""One attempt at one http(s) source: write the body of the answer to a file.

The body is read piece by piece, since a reader that waits for full chunks never notices a server that trickles. Where
the size is known, a shorter body is an error that may pass, and a longer one is cut off.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import requests
import urllib3
from tqdm import tqdm

from dawn.core import cli
from dawn.data.source import SourceError, TransientError, check_size
from dawn.data.watchdog import Watchdog, WatchedSession

CHUNK = 1 << 18  # bytes
CAP = 4 << 30  # bytes, for a body of unknown size
REDIRECTS = 10  # at most
LINE = 200  # characters of an error that are shown


@dataclass(frozen=True)
class Limits:
    """How long a server is given, in seconds except ``tries`` and ``speed`` (bytes a second)."""

    timeout: float = 30.0  # to connect, and from one piece of the body to the next
    answer: float = 60.0  # to the end of the headers of the answer, redirects included
    end: float = 2.0  # for the end of the body after its last byte
    tries: int = 3
    backoff: float = 1.0  # before the second try, doubled before each later one
    window: float = 60.0  # any so long stretch of the body must come at ``speed`` on average
    speed: float = 1000.0


def http(url: str, target: Path, size: int | None, limits: Limits) -> None:
    """Write the body that one request brings, with a bar on a terminal; raises TransientError and SourceError."""
    with (
        Watchdog(limits.answer) as watchdog,
        translated(watchdog, limits),
        WatchedSession(watchdog) as session,
        answer(session, url, limits) as response,
    ):
        check_status(response)
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() and len(length) < 20 else size
        if total is not None:
            check_size(total, size)
        bar = tqdm(desc=target.name, total=total, unit="B", unit_scale=True, disable=None, leave=False)
        with target.open("wb") as file, bar:
            for piece in pieces(response, size or CAP, limits, watchdog):
                file.write(piece)
                bar.update(len(piece))
            if size and file.tell() < size:
                raise TransientError(f"ended after {file.tell()} of {size} bytes")


def answer(session: requests.Session, url: str, limits: Limits) -> requests.Response:
    """Return the answer, its body unread, after at most REDIRECTS redirects, whose bodies are never read."""
    for _ in range(REDIRECTS + 1):
        response = session.get(
            url, stream=True, allow_redirects=False, timeout=limits.timeout, headers={"Accept-Encoding": "identity"}
        )
        if response.status_code not in (301, 302, 303, 307, 308):
            return response
        response.close()
        url = redirected(url, response.headers.get("Location", ""))
    raise SourceError(f"more than {REDIRECTS} redirects")


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


def check_status(response: requests.Response) -> None:
    """Raise unless the server sends the file: TransientError for what may pass, SourceError for what will not."""
    status, later = response.status_code, response.headers.get("Retry-After", "")
    reason = f"HTTP {status} {cli.quoted(response.reason)[1:-1]}" if response.reason else f"HTTP {status}"
    if status in (408, 429) or status >= 500:
        raise TransientError(reason, float(later) if later.isdecimal() else 0.0)
    if status != 200:
        raise SourceError(reason)


def pieces(response: requests.Response, limit: int, limits: Limits, watchdog: Watchdog) -> Iterator[bytes]:
    """The body as it arrives, undecoded; raises SourceError beyond ``limit`` bytes and if it comes too slowly."""
    total, before, since = 0, 0, time.monotonic()
    watchdog.renew(limits.timeout)
    try:
        while piece := response.raw.read1(CHUNK, decode_content=False):
            total += len(piece)
            if total > limit:
                raise SourceError(f"longer than {limit} bytes, cut off")
            if (spent := time.monotonic() - since) >= limits.window:
                if total - before < limits.speed * spent:
                    raise SourceError(f"too slow, {(total - before) / spent:.0f} bytes a second over {spent:.0f} s")
                before, since = total, time.monotonic()
            watchdog.renew(limits.timeout if total < limit else limits.end)
            yield piece
    except urllib3.exceptions.HTTPError:
        if total != limit:  # else only the end of the body is lacking, such as trailers
            raise


@contextmanager
def translated(watchdog: Watchdog, limits: Limits) -> Iterator[None]:
    """Errors of the network as TransientError where another try may help, as SourceError where it will not."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise TransientError(f"nothing came for {limits.timeout:g} s") from error
    except urllib3.exceptions.HTTPError as error:  # from the body, where requests does not wrap it
        if watchdog.fired:
            raise TransientError(f"nothing came for {limits.timeout:g} s") from error
        raise TransientError(f"the body broke off, {root(error)}") from error
    except (requests.RequestException, UnicodeError, ValueError) as error:
        if watchdog.fired:
            raise TransientError(f"no complete answer within {limits.answer:g} s") from error
        passing = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
        raise (TransientError if passing else SourceError)(root(error)) from error


def root(error: BaseException) -> str:
    """What was at the bottom of an error, in one line."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    text = cli.describe(error) if isinstance(error, Exception) else repr(error)
    return text if len(text) <= LINE else f"{text[:LINE]}..."  # parts of it may be the server's
