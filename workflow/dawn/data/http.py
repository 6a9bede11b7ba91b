"""One source, once: what an http(s) server or a local path gives, put into a file.

The body is read here piece by piece, since a reader that waits for full chunks never notices a server that
trickles. Whoever knows the size says so: a body that ends before it has been dropped, one beyond it is cut off.
"""

import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import urllib3
from tqdm import tqdm

from dawn.core import cli

CHUNK = 1 << 18  # bytes
CAP = 4 << 30  # bytes, for a body whose size nobody told us


class Useless(Exception):
    """This source does not give the archive; the next one is asked."""


class Dropped(Exception):
    """This attempt failed, another may not; ``wait`` is how many seconds the server asks us to let pass."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


@dataclass(frozen=True)
class Patience:
    """How long a server is given, in seconds but for ``tries`` and ``speed`` (bytes a second)."""

    timeout: float = 30.0  # to connect, and from one piece of the body to the next
    tries: int = 3
    backoff: float = 1.0  # before the second try, doubled before each later one
    window: float = 60.0  # any so long stretch of the body must come at ``speed`` on average
    speed: float = 1000.0


def local(url: str) -> Path | None:
    """The file that a plain path or a file:// URL names, None for http(s); anything else is refused."""
    if "://" not in url:
        return Path(url)
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(url2pathname(parts.path))
    raise cli.InputError(f"{url}: must be http://..., https://..., file:///absolute/path or a plain path")


def check_size(found: int, expected: int | None) -> None:
    """Raise Useless unless this many bytes can be right; None where the size is not known."""
    if expected is not None and found != expected:
        raise Useless(f"wrong content, {found} bytes, expected {expected}")


def copy(source: Path, target: Path, size: int | None) -> None:
    """Copy a local archive; raises Useless where there is none that could be the right one."""
    try:
        if not source.is_file():
            raise Useless("no such file")
        source.open("rb").close()
    except OSError as error:
        raise Useless(error.strerror) from error
    check_size(source.stat().st_size, size)
    shutil.copyfile(source, target)


def http(url: str, target: Path, size: int | None, patience: Patience) -> None:
    """Write the body that one request brings, with a bar on a terminal; raises Dropped and Useless."""
    plain = {"Accept-Encoding": "identity"}
    asking = translated(patience.timeout)
    with asking, requests.get(url, stream=True, timeout=patience.timeout, headers=plain) as response:
        check_answer(response)
        length = response.headers.get("Content-Length", "")
        total = int(length) if length.isdecimal() else size
        if total is not None:
            check_size(total, size)
        bar = tqdm(desc=target.name, total=total, unit="B", unit_scale=True, disable=None, leave=False)
        with target.open("wb") as file, bar:
            for piece in pieces(response, size or CAP, patience):
                file.write(piece)
                bar.update(len(piece))
            if size and file.tell() < size:
                raise Dropped(f"ended after {file.tell()} of {size} bytes")


def check_answer(response: requests.Response) -> None:
    """Raise unless the server sends the file: Dropped for what may pass, Useless for what will not."""
    status, later = response.status_code, response.headers.get("Retry-After", "")
    reason = f"HTTP {status} {response.reason}"
    if status in (408, 429) or status >= 500:
        raise Dropped(reason, float(later) if later.isdecimal() else 0.0)
    if status != 200:
        raise Useless(reason)


def pieces(response: requests.Response, limit: int, patience: Patience) -> Iterator[bytes]:
    """The body as it arrives, undecoded; raises Useless beyond ``limit`` bytes and if it comes too slowly."""
    total, before, since = 0, 0, time.monotonic()
    while piece := response.raw.read1(CHUNK, decode_content=False):
        total += len(piece)
        if total > limit:
            raise Useless(f"longer than {limit} bytes, cut off")
        if (spent := time.monotonic() - since) >= patience.window:
            if total - before < patience.speed * spent:
                raise Useless(f"too slow, {(total - before) / spent:.0f} bytes a second over {spent:.0f} s")
            before, since = total, time.monotonic()
        yield piece


@contextmanager
def translated(timeout: float) -> Iterator[None]:
    """Errors of the network as Dropped where another try may help, as Useless where it will not."""
    try:
        yield
    except (requests.Timeout, urllib3.exceptions.TimeoutError) as error:
        raise Dropped(f"nothing came for {timeout:g} s") from error
    except urllib3.exceptions.HTTPError as error:  # from the body, where requests does not wrap it
        raise Dropped(f"the body broke off, {root(error)}") from error
    except requests.RequestException as error:
        passing = isinstance(error, requests.ConnectionError) and not isinstance(error, requests.exceptions.SSLError)
        raise (Dropped if passing else Useless)(root(error)) from error


def root(error: BaseException) -> str:
    """What was at the bottom of an error, in one line."""
    while deeper := error.__cause__ or error.__context__:
        error = deeper
    return cli.describe(error) if isinstance(error, Exception) else repr(error)
