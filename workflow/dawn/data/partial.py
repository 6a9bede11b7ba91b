"""The partial file of a download, which stays after an interruption with a record of what it is the beginning of."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from pydantic import BaseModel, Field, ValidationError

from dawn.core import file_lock, files
from dawn.core.secrets import redacted

ETAG = r'"[\x21\x23-\x7e]{1,1000}"'  # a strong one: W/"..." is weak
DATE = r"[A-Z][a-z]{2}, [0-9A-Za-z: ]{10,40} GMT"
REFUSALS = 2  # answers without the rest of a file, after which the whole file is asked for


class Record(BaseModel):
    """The file that a partial file begins, as the server describes it."""

    url: str  # without secrets
    validator: str = Field(pattern=f"^({ETAG}|{DATE})$")  # its ETag, else its Last-Modified
    encoding: str | None  # Content-Encoding
    total: int | None = Field(gt=0)  # its size in bytes

    @property
    def strong(self) -> bool:
        """Whether the validator differs between any two versions of the file, as a date may not."""
        return self.validator.startswith('"')

    def describes(self, headers: Mapping[str, str]) -> bool:
        """Return whether an answer with these headers is of the same version of the file."""
        validator = headers.get("ETag" if self.strong else "Last-Modified")
        return validator == self.validator and headers.get("Content-Encoding") == self.encoding


class Partial:
    """The file at ``path``, with its record at ``note``; without a checksum only a strong validator resumes it."""

    def __init__(self, path: Path, checksum: bool) -> None:
        self.path, self.note, self.checksum = path, path.with_name(f"{path.name}.json"), checksum
        self.record: Record | None = None
        with suppress(OSError, ValidationError):  # none, or a damaged one
            self.record = Record.model_validate_json(self.note.read_bytes())
        self.kept = self.size if self.record else 0  # bytes of an earlier process
        self.resumed = False  # the file is of several answers
        self.refusals = 0

    @property
    def size(self) -> int:
        """Bytes so far."""
        return self.path.stat().st_size if self.path.exists() else 0

    def resumable(self, url: str) -> Record | None:
        """The record, if a request to this URL may continue the file."""
        record = self.record
        if not record or record.url != redacted(url) or not (self.checksum or record.strong):
            return None
        return record if self.size and self.refusals < REFUSALS else None

    def restart(self, url: str = "", headers: Mapping[str, str] = {}, total: int | None = None) -> None:
        """Empty the file, and record from the headers of an answer what comes next, if that can be resumed."""
        self.note.unlink(missing_ok=True)
        self.path.write_bytes(b"")
        self.record, self.resumed, self.kept = None, False, 0
        for name in ("Last-Modified", "ETag"):
            with suppress(KeyError, ValidationError):  # no such header, or a weak ETag
                version = {"validator": headers[name], "encoding": headers.get("Content-Encoding"), "total": total}
                record = Record(url=redacted(url), **version)
                self.record = record if record.strong or self.checksum else None
        if self.record:
            files.write_json(self.note, self.record.model_dump())


@contextmanager
def partial_file(out: Path, checksum: bool) -> Iterator[Partial]:
    """The partial file of ``out``, which replaces it at the end of the block; the caller holds ``lock_of(out)``.

    After an exception it stays if it can be resumed. Where the file system has no locks, its name is this process's
    own, so that no other process writes into it or resumes it.
    """
    path = out.with_name(f".{out.name}.{files.HOST}-{os.getuid()}.partial")
    lock = file_lock.acquire(lock_of(out))
    if lock is not None:  # although this process holds it
        os.close(lock)
        path = files.partial_path(out)
    partial = Partial(path, checksum)
    try:
        yield partial
        with path.open("rb") as written:
            os.fsync(written.fileno())
        with files.replacing(out) as whole:
            path.replace(whole)
    finally:
        if lock is not None or not (partial.record and partial.size):
            path.unlink(missing_ok=True)
            partial.note.unlink(missing_ok=True)


def lock_of(out: Path) -> Path:
    """The lock of all processes that write ``out``."""
    return out.with_name(f".{out.name}.lock")
