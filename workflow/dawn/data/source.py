"""Sources of an archive: local files, and the errors of all kinds of source."""

import os
import re
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

from dawn.core import cli
from dawn.core.secrets import HIDDEN, expanded, is_remote


class SourceError(Exception):
    """This source does not give the archive; the next one is tried."""


class ContentError(SourceError):
    """The source gives another file."""


class TransientError(SourceError):
    """This attempt failed, another may not; ``wait`` is the time that the server asks to wait, in seconds."""

    def __init__(self, reason: str, wait: float = 0.0) -> None:
        super().__init__(reason)
        self.wait = wait


def local(url: str) -> Path | None:
    """The file that a plain path or a file:// URL names, None for http(s); anything else is refused.

    A relative path starts in $DAWN_SOURCES, which the Snakefile sets to where it was called from.
    """
    if "://" not in url:
        return None if is_remote(url) else Path(os.environ.get("DAWN_SOURCES", ""), url)
    parts = urlsplit(url)
    if re.match("https?://[^/]", url, re.IGNORECASE):
        return None
    if parts.scheme == "file" and parts.netloc in ("", "localhost"):
        return Path(url2pathname(parts.path))
    raise cli.InputError(f"{url}: must be http://..., https://..., file:///absolute/path or a plain path")


def opened(url: str) -> str:
    """The http(s) URL with the values of the variables that it names, to be requested; raises SourceError."""
    if HIDDEN in url:
        raise SourceError(f"has {HIDDEN} in place of a secret; give the whole address")
    try:
        whole = expanded(url)
    except KeyError as name:
        raise SourceError(f"the environment has no variable {name.args[0]}") from None
    if local(whole) is not None:
        raise SourceError("is no http(s) URL")
    try:
        urlsplit(whole).port  # noqa: B018 (raises)
    except ValueError:
        raise SourceError("has no valid host and port; in a password write / ? # as %2F %3F %23") from None
    return whole


def check_size(size: int, expected: int | None, error: type[SourceError] = ContentError) -> None:
    """Raise an error unless this many bytes can be right; None where the size is not known."""
    if expected is not None and size != expected:
        raise error(f"wrong content, {size} bytes, expected {expected}")


def check_local(source: Path, size: int | None) -> None:
    """Raise SourceError unless this is a file that could be the right one."""
    try:
        if not source.is_file():
            raise SourceError("no such file")
        source.open("rb").close()
    except OSError as error:
        raise SourceError(error.strerror) from error
    check_size(source.stat().st_size, size)
