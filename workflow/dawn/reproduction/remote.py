"""A crate at an http(s) address. Its checksum is not known, so nothing but the address vouches for it."""

from pathlib import Path

from dawn.core import file_lock
from dawn.core.cli import InputError
from dawn.core.secrets import learn, published
from dawn.data.http import Limits, http
from dawn.data.partial import lock_of, partial_file
from dawn.data.source import SourceError, opened


def is_address(source: str) -> bool:
    """Return whether a source is not a file."""
    return source.lower().startswith(("http://", "https://"))


def fetch(url: str, out: Path, limits: Limits) -> None:
    """Write what is at an address to ``out``, at most 4 GiB; an InputError where that fails."""
    learn(url, published(url))
    try:
        with file_lock.exclusive(lock_of(out)), partial_file(out, checksum=False) as partial:
            http(opened(url), partial, None, limits)
    except SourceError as error:
        raise InputError(f"{url}: {error}; run again, or download the crate and name the file") from error
