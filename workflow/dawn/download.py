"""Fetch the archive from the first source that gives the right one, and prove it.

    python -m dawn.download --params params.yaml --out resources/cifar-10-python.tar.gz
    python -m dawn.download --url URL [--url URL2 ...] [--sha256 HEX] [--bytes N] --out FILE

A source is an http(s) or file:// URL or a plain path; sources are asked in order. The proof is the SHA-256,
or the size alone where no checksum is known; only a local file may come without either. The output appears
whole and proven or not at all. A download that was interrupted, or killed, is resumed where the server names the
version of its file. Proxies and certificates are taken from the environment, as requests does.
"""

import argparse
import re
import shutil
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_exception, wait_exponential

from dawn.config import experiment
from dawn.core import cli, file_lock, files
from dawn.core.secrets import learn, published, redacted
from dawn.data import http
from dawn.data.http import Limits
from dawn.data.partial import Partial, lock_of, partial_file
from dawn.data.source import ContentError, SourceError, TransientError, check_local, check_size, local, opened

LONGEST_WAIT = 60.0  # seconds, whatever Retry-After asks for


@dataclass(frozen=True)
class Proof:
    """The checksum and size that the right archive has; None where one is not known."""

    sha256: str | None
    bytes: int | None

    def check(self, path: Path) -> None:
        """Raise ContentError unless the file is the right one, as far as can be known."""
        check_size(path.stat().st_size, self.bytes)
        if self.sha256 and (digest := files.sha256(path)) != self.sha256:
            raise ContentError(
                f"wrong content, sha256 {digest}, expected {self.sha256}; if this is the archive that you want, set "
                "data.sha256 to the former"
            )

    def __str__(self) -> str:
        """Return in words what proves the file."""
        if self.sha256:
            return "proven by its sha256"
        if self.bytes:
            return "proven by its size alone, no sha256 is known"
        return "unproven, neither sha256 nor size is known"


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
    fetch(*sources(options), options.out, Limits(timeout=options.timeout))


def sources(options: argparse.Namespace) -> tuple[Sequence[str], Proof]:
    """The sources and the proof: flags first, then the data section. An InputError of what cannot work."""
    urls, sha256, size = options.url, options.sha256, options.bytes
    if options.params:
        data = experiment.load(options.params).data
        urls = urls or data.sources
        sha256 = data.sha256 if sha256 is None else sha256
        size = data.bytes if size is None else size
    if sha256 is not None and not re.fullmatch("[0-9a-fA-F]{64}", sha256):
        raise cli.InputError(f"sha256 {sha256!r}: must be 64 hexadecimal digits")
    for name, value in (("bytes", size), ("timeout", options.timeout)):
        if value is not None and not value > 0:
            raise cli.InputError(f"{name} {value:g}: must be positive")
    for url in urls:
        learn(url, published(url))
        if local(url) is None and sha256 is None and size is None:
            raise cli.InputError(f"{url}: a download needs its sha256, or at least its size in bytes, to be proven by")
    return urls, Proof(sha256 and sha256.lower(), size)


def fetch(urls: Sequence[str], proof: Proof, out: Path, limits: Limits) -> None:
    """Leave the archive at ``out``; an InputError, and ``out`` as it was, when no source gives it."""
    # Two experiments of DVC share their archive: the second waits for the first one's download, and uses it.
    with file_lock.exclusive(lock_of(out), lambda: log(f"{out}: another process fetches it; waiting for it to end")):
        if present(out, proof):
            return
        for url in urls:
            refuse_itself(url, out)
        reasons = []
        for url in urls:
            try:
                fetch_from(url, proof, out, limits)
                return
            except SourceError as reason:
                reasons.append(f"{url}: {reason}")
                log(reasons[-1])
    tried = "; ".join(reasons)
    raise cli.InputError(f"no source gave {out.name} ({tried}); put it at {out} by hand, or add a mirror to data.urls")


def present(out: Path, proof: Proof) -> bool:
    """Return whether ``out`` is the archive already; never without a proof."""
    if proof == Proof(None, None) or not out.is_file():
        return False
    try:
        proof.check(out)
    except SourceError as reason:
        log(f"{out}: {reason}, so it is fetched anew")
        return False
    log(f"{out}: there already, {proof}")
    return True


def refuse_itself(url: str, out: Path) -> None:
    """An InputError of a local source that is the output file, under whatever name: it would be its own origin."""
    source = local(url)
    with suppress(OSError):  # one of the two is not there, which is for later
        if source and source.samefile(out):
            raise cli.InputError(f"{url}: is the output file {out} itself; name another source")


def fetch_from(url: str, proof: Proof, out: Path, limits: Limits) -> None:
    """Put what one source gives at ``out``, once proven; raises SourceError."""
    if not sys.stderr.isatty():
        log(f"{url}: fetching")
    start, source = time.monotonic(), local(url)
    with partial_file(out, proof.sha256 is not None) as partial:
        if source is None:
            download(opened(url), partial, proof, limits)
        else:
            check_local(source, proof.bytes)
            partial.restart()
            shutil.copyfile(source, partial.path)
            proof.check(partial.path)
        size, kept, seconds = partial.size, partial.kept, time.monotonic() - start
    speed = (size - kept) / 1e6 / max(seconds, 1e-9)
    resumed = f" resumed after {kept} bytes," if kept else ""
    log(f"{out}: {size} bytes in {seconds:.1f} s, {speed:.1f} MB/s,{resumed} {proof}")


def download(url: str, partial: Partial, proof: Proof, limits: Limits) -> None:
    """Fill the partial file from one http(s) source, anew if it was resumed and fails its proof; raises SourceError."""
    for last in (False, True):
        try:
            request(url, partial, proof.bytes, limits)
            proof.check(partial.path)
            return
        except ContentError as reason:
            resumed = partial.resumed
            partial.restart()
            if last or not resumed:
                raise
            log(f"{url}: {reason}, after it was resumed, so it is fetched anew")


def request(url: str, partial: Partial, size: int | None, limits: Limits) -> None:
    """Ask one http(s) source, and try again after a failure that may pass; raises SourceError."""
    doubling = wait_exponential(multiplier=limits.backoff)
    asked = wait_exception(lambda drop: min(getattr(drop, "wait", 0.0), LONGEST_WAIT))
    retrying = Retrying(
        retry=retry_if_exception_type(TransientError),
        stop=stop_after_attempt(limits.tries),
        wait=lambda state: max(doubling(state), asked(state)),
        before_sleep=lambda state: log(
            f"{url}: {state.outcome and state.outcome.exception()} (try {state.attempt_number} of {limits.tries}), "
            f"again in {state.upcoming_sleep:g} s"
        ),
        sleep=time.sleep,
        reraise=True,
    )
    try:
        retrying(http.http, url, partial, size, limits)
    except TransientError as drop:
        raise SourceError(f"{drop} (try {limits.tries} of {limits.tries})") from drop


def log(line: str) -> None:
    """One line to the user, without secrets."""
    print(redacted(line), file=sys.stderr, flush=True)


if __name__ == "__main__":
    cli.run(main)
