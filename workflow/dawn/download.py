"""Fetch the archive from the first source that gives the right one, and prove it.

    python -m dawn.download --params params.yaml --out resources/cifar-10-python.tar.gz
    python -m dawn.download --url URL [--url URL2 ...] [--sha256 HEX] [--bytes N] --out FILE

A source is an http(s) or file:// URL or a plain path; sources are asked in order. The proof is the SHA-256,
or the size alone where no checksum is known; only a local file may come without either. The output appears
whole and proven or not at all. Proxies and certificates are taken from the environment, as requests does.

The body is read with requests and not through pooch, whose downloader waits for full chunks: it never notices
a server that trickles, nor one that never stops.
"""

import argparse
import re
import shutil
import signal
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

import requests
import urllib3
from tqdm import tqdm

from dawn import cli, files
from dawn.config import experiment

CHUNK = 1 << 18  # bytes
CAP = 4 << 30  # bytes, for a body whose size nobody told us
LONGEST_WAIT = 60.0  # seconds, whatever Retry-After asks for


class Useless(Exception):
    """This source does not give the archive; the next one is asked."""


class Dropped(Exception):
    """This attempt failed, another may not; a second argument: the seconds that the server asks us to wait."""


@dataclass(frozen=True)
class Proof:
    """What the right archive is known by; None where it is not known."""

    sha256: str | None
    bytes: int | None

    def check(self, path: Path) -> None:
        """Raise Useless unless the file is the right one, as far as can be known."""
        self.check_size(path.stat().st_size)
        if self.sha256 and (found := files.sha256(path)) != self.sha256:
            raise Useless(f"wrong content, sha256 {found}, expected {self.sha256}")

    def check_size(self, size: int) -> None:
        """Raise Useless unless this many bytes can be right."""
        if self.bytes and size != self.bytes:
            raise Useless(f"wrong content, {size} bytes, expected {self.bytes}")

    def __str__(self) -> str:
        """How far the proof goes."""
        if self.sha256:
            return "proven by its sha256"
        return (
            "proven by its size alone, no sha256 is known"
            if self.bytes
            else "unproven, neither sha256 nor size is known"
        )


@dataclass(frozen=True)
class Patience:
    """How long a server is given, in seconds but for ``tries`` and ``speed`` (bytes a second)."""

    timeout: float = 30.0  # to connect, and from one piece of the body to the next
    tries: int = 3
    backoff: float = 1.0  # before the second try, doubled before each later one
    window: float = 60.0  # any so long stretch of the body must come at ``speed`` on average
    speed: float = 1000.0


def main() -> None:
    """The command line."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, help="the experiment, of which the data section is used")
    parser.add_argument("--url", action="append", help="a source, in place of data.urls; repeat for mirrors")
    parser.add_argument("--sha256", help="64 hexadecimal digits, in place of data.sha256")
    parser.add_argument("--bytes", type=int, help="the size, in place of data.bytes")
    parser.add_argument("--timeout", type=float, default=30.0, help="seconds without a byte (%(default)g)")
    parser.add_argument("--out", type=Path, required=True, help="the archive")
    options = parser.parse_args()
    if not (options.params or options.url):
        parser.error("--params or --url is needed")
    for number in (signal.SIGINT, signal.SIGTERM):  # as an exception, so that the partial file goes
        signal.signal(number, lambda number, _: sys.exit(128 + number))
    fetch(*wanted(options), options.out, Patience(timeout=options.timeout))


def wanted(options: argparse.Namespace) -> tuple[Sequence[str], Proof]:
    """The sources and the proof: flags first, then the data section. A Refusal of what cannot work."""
    urls, sha256, size = options.url, options.sha256, options.bytes
    if options.params:
        data = experiment.load(options.params).data
        urls = urls or data.urls
        sha256 = data.sha256 if sha256 is None else sha256
        size = data.bytes if size is None else size
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise cli.Refusal(f"sha256 {sha256!r}: must be 64 hexadecimal digits")
    for name, value in (("bytes", size), ("timeout", options.timeout)):
        if value is not None and not value > 0:
            raise cli.Refusal(f"{name} {value:g}: must be positive")
    for url in urls:
        if local(url) is None and sha256 is None and size is None:
            raise cli.Refusal(f"{url}: a download needs its sha256, or at least its size in bytes, to be proven by")
    return urls, Proof(sha256 and sha256.lower(), size)


def local(url: str) -> Path | None:
    """The file that a plain path or a file:// URL names, None for http(s); anything else is refused."""
    if "://" not in url:
        return Path(url)
    parts = urlsplit(url)
    if parts.scheme in ("http", "https") and parts.netloc:
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(url2pathname(parts.path))
    raise cli.Refusal(f"{url}: must be http://..., https://..., file:///absolute/path or a plain path")


def fetch(urls: Sequence[str], proof: Proof, out: Path, patience: Patience) -> None:
    """Leave the archive at ``out``; a Refusal, and ``out`` as it was, when no source gives it."""
    if present(out, proof):
        return
    reasons = []
    for url in urls:
        try:
            obtain(url, proof, out, patience)
        except Useless as reason:
            reasons.append(f"{url}: {reason}")
            say(reasons[-1])
        else:
            return
    tried = "; ".join(reasons)
    raise cli.Refusal(f"no source gave {out.name} ({tried}); put it at {out} by hand, or add a mirror to data.urls")


def present(out: Path, proof: Proof) -> bool:
    """Whether ``out`` is the archive already; never without a proof."""
    if proof == Proof(None, None) or not out.is_file():
        return False
    try:
        proof.check(out)
    except Useless as reason:
        say(f"{out}: {reason}, so it is fetched anew")
        return False
    say(f"{out}: there already, {proof}")
    return True


def obtain(url: str, proof: Proof, out: Path, patience: Patience) -> None:
    """Put what one source gives at ``out``, once proven; raises Useless."""
    if not sys.stderr.isatty():
        say(f"{url}: fetching")
    start, source = time.monotonic(), local(url)
    with files.replacing(out) as partial:
        if source is None:
            download(url, partial, proof, patience)
        else:
            copy(source, partial, proof)
        proof.check(partial)
        size, seconds = partial.stat().st_size, time.monotonic() - start
    say(f"{out}: {size} bytes in {seconds:.1f} s, {size / 1e6 / max(seconds, 1e-9):.1f} MB/s, {proof}")


def copy(source: Path, target: Path, proof: Proof) -> None:
    """Copy a local archive; raises Useless where there is none that could be the right one."""
    try:
        if not source.is_file():
            raise Useless("no such file")
        source.open("rb").close()
    except OSError as error:
        raise Useless(error.strerror) from error
    proof.check_size(source.stat().st_size)
    shutil.copyfile(source, target)


def download(url: str, target: Path, proof: Proof, patience: Patience) -> None:
    """Transfer, and try again after a failure that may pass; raises Useless."""
    for attempt in range(1, patience.tries + 1):
        try:
            with translated(patience.timeout):
                transfer(url, target, proof, patience)
            return
        except Dropped as drop:
            reason, *asked = drop.args
            said = f"{reason} (try {attempt} of {patience.tries})"
            if attempt == patience.tries:
                raise Useless(said) from drop
            wait = max(patience.backoff * 2 ** (attempt - 1), min(sum(asked), LONGEST_WAIT))
            say(f"{url}: {said}, again in {wait:g} s")
            time.sleep(wait)


def transfer(url: str, target: Path, proof: Proof, patience: Patience) -> None:
    """One attempt at one http(s) source; raises Dropped and Useless, and what requests and urllib3 raise."""
    plain = {"Accept-Encoding": "identity"}
    with requests.get(url, stream=True, timeout=patience.timeout, headers=plain) as response:
        check_answer(response)
        length = response.headers.get("Content-Length", "")
        if length.isdecimal():
            proof.check_size(int(length))
        total = int(length) if length.isdecimal() else proof.bytes
        bar = tqdm(desc=target.name, total=total, unit="B", unit_scale=True, disable=None, leave=False)
        with target.open("wb") as file, bar:
            for piece in pieces(response, proof.bytes or CAP, patience):
                file.write(piece)
                bar.update(len(piece))
            if proof.bytes and file.tell() < proof.bytes:
                raise Dropped(f"ended after {file.tell()} of {proof.bytes} bytes")


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


def say(line: str) -> None:
    """One line to the user."""
    print(line, file=sys.stderr, flush=True)


if __name__ == "__main__":
    cli.run(main)
