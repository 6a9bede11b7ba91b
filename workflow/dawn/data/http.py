"""One exchange with one http(s) source: write the body of the answer to the partial file, or the rest of it.

The body is read piece by piece, since a reader that waits for full chunks never notices a server that trickles. Where
the size is known, a shorter body is an error that may pass, and a longer one is cut off.
"""

import functools
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import PurePath
from urllib.parse import urlsplit

import requests
import urllib3
from tqdm import tqdm

from dawn.core import cli, files
from dawn.data.partial import Partial
from dawn.data.session import Session
from dawn.data.source import ContentError, SourceError, TransientError, check_size

CHUNK = 1 << 18  # bytes
CAP = 4 << 30  # bytes, for a body of unknown size
LINE = 200  # characters of an error that are shown
RANGE = re.compile("bytes ([0-9]{1,18})-([0-9]{1,18})/([0-9]{1,18})")


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


def http(url: str, partial: Partial, size: int | None, limits: Limits) -> None:
    """Write what one request brings, with a bar on a terminal; raises TransientError and SourceError."""
    record = partial.resumable(url)
    if record and partial.size == record.total:  # a process was killed before it proved the file
        partial.resumed = True
        return
    with Session(limits.answer) as session, translated(session, limits):
        response, total = answer(session, url, partial, size, limits)
        with response:
            limit = total or size or CAP
            if total is None:
                check_status(response)
                length = response.headers.get("Content-Length", "")
                total = int(length) if length.isdecimal() and len(length) < 20 else size
                if total is not None:
                    check_size(total, size, SourceError)
                partial.restart(url, response.headers, total)
            name, start = cli.printable(PurePath(urlsplit(url).path).name), partial.size
            bar = tqdm(
                desc=name, initial=start, total=total, unit="B", unit_scale=True, disable=None, leave=False,
                file=cli.bare(sys.stderr),
            )  # fmt: skip
            with files.naming(partial.path), partial.path.open("ab") as file, bar:
                for piece in pieces(response, session, start, limit, limits):
                    file.write(piece)
                    bar.update(len(piece))
                if limit != CAP and file.tell() < limit:
                    raise TransientError(f"ended after {file.tell()} of {limit} bytes")


def answer(
    session: Session, url: str, partial: Partial, size: int | None, limits: Limits
) -> tuple[requests.Response, int | None]:
    """Return an answer, and the size of the whole file if its body continues the partial file, else None."""
    ask = functools.partial(session.get, url, stream=True, timeout=limits.timeout)
    record, start = partial.resumable(url), partial.size
    if record is None:
        return ask(), None
    partial.refusals += 1
    response = ask(headers={"Range": f"bytes={start}-", "If-Range": record.validator})
    given = RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if response.status_code == 206 and given and record.describes(response.headers):
        first, last, total = map(int, given.groups())
        if first == start <= last < total and {size, record.total} <= {None, total}:
            partial.resumed, partial.refusals = True, 0
            return response, total
    if response.status_code == 200 or may_pass(response.status_code):
        return response, None
    response.close()
    session.renew(limits.answer)
    return ask(), None


def may_pass(status: int) -> bool:
    """Return whether a later request may have more success."""
    return status in (408, 429) or status >= 500


def check_status(response: requests.Response) -> None:
    """Raise unless the server sends the file: TransientError for what may pass, SourceError for what will not."""
    status, later = response.status_code, response.headers.get("Retry-After", "")
    reason = f"HTTP {status} {cli.quoted(response.reason)[1:-1]}" if response.reason else f"HTTP {status}"
    if may_pass(status):
        raise TransientError(reason, float(later) if later.isdecimal() else 0.0)
    if status != 200:
        raise SourceError(reason)


def pieces(response: requests.Response, session: Session, total: int, limit: int, limits: Limits) -> Iterator[bytes]:
    """The body as it arrives, undecoded, after ``total`` bytes of the file; a ContentError beyond ``limit`` bytes."""
    due = 0.0
    session.renew(limits.window)
    try:
        while piece := response.raw.read1(CHUNK, decode_content=False):
            total += len(piece)
            if total > limit:
                raise ContentError(f"longer than {limit} bytes, cut off")
            if total >= due:
                session.renew(limits.window)
                due = total + limits.window * limits.speed
            if total == limit:
                session.renew(limits.end)
            yield piece
        if session.late:  # a body of unknown length just ends
            raise urllib3.exceptions.HTTPError("cut off")
    except urllib3.exceptions.HTTPError:
        if total != limit:  # else only the end of the body is lacking, such as trailers
            raise


@contextmanager
def translated(session: Session, limits: Limits) -> Iterator[None]:
    """Errors of the network as TransientError where another try may help, as SourceError where it will not."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise TransientError(f"nothing came for {limits.timeout:g} s") from error
    except urllib3.exceptions.HTTPError as error:  # from the body, where requests does not wrap it
        if session.late:
            slow = f"too slow, less than {limits.speed:g} bytes a second over {limits.window:g} s"
            raise SourceError(slow) from error
        raise TransientError(f"the body broke off, {root(error)}") from error
    except (requests.RequestException, ValueError) as error:
        if session.late:
            raise TransientError(f"no complete answer within {limits.answer:g} s") from error
        passing = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
        raise (TransientError if passing else SourceError)(root(error)) from error


def root(error: BaseException) -> str:
    """Return what was at the bottom of an error, in one line."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    text = cli.describe(error) if isinstance(error, Exception) else repr(error)
    return text if len(text) <= LINE else f"{text[:LINE]}..."  # parts of it may be the server's
