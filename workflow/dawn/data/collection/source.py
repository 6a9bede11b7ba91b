"""Where image files come from: a folder, a tar or a zip. They are read one by one, and nothing is extracted to disk."""

import lzma
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from dawn.core.cli import InputError, quoted
from dawn.data.image_file import MAX_BYTES

MOST_FILES = 5_000_000
# what the readers of archives raise; NotImplementedError is zipfile's, of a compression that it does not know
DAMAGE = (tarfile.TarError, zipfile.BadZipFile, zlib.error, lzma.LZMAError, EOFError, ValueError, NotImplementedError)


def names(source: Path) -> list[str]:
    """The relative paths of all files in a folder or an archive, in the order in which ``contents`` reads them."""
    if source.is_dir():
        found = [p.relative_to(source).as_posix() for p in source.rglob("*") if p.is_file()]
        return _bounded(sorted(name for name in found if not _hidden(name)), source)
    with _damage(source):
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                return _bounded(
                    [i.filename for i in archive.infolist() if not i.is_dir() and not _hidden(i.filename)], source
                )
        with tarfile.open(source) as tar:
            return _bounded([m.name for m in tar if m.isreg() and not _hidden(m.name)], source)


def contents(source: Path, wanted: set[str]) -> Iterator[tuple[str, bytes | Path]]:
    """The files of an archive by name, or the paths of those in a folder, that are wanted.

    A file of more bytes than an image may have is cut there, so that ``read_image`` refuses it.
    """
    if source.is_dir():
        yield from ((name, source / name) for name in names(source) if name in wanted)
        return
    with _damage(source):
        if zipfile.is_zipfile(source):
            with zipfile.ZipFile(source) as archive:
                for info in archive.infolist():
                    if info.filename in wanted:
                        with archive.open(info) as member:
                            yield info.filename, member.read(MAX_BYTES + 1)
            return
        with tarfile.open(source) as tar:
            for entry in tar:
                if entry.name in wanted and (opened := tar.extractfile(entry)) is not None:
                    yield entry.name, opened.read(MAX_BYTES + 1)


def _hidden(name: str) -> bool:
    """Whether a file is hidden, or among those that macOS adds to an archive."""
    return any((part.startswith(".") and part != ".") or part == "__MACOSX" for part in PurePosixPath(name).parts)


def _bounded(found: list[str], source: Path) -> list[str]:
    if len(found) > MOST_FILES:
        raise InputError(f"{source}: has {len(found):,} files, at most {MOST_FILES:,} are allowed")
    if len(set(found)) < len(found):
        raise InputError(f"{source}: has a file twice by the same name; pack it anew")
    return found


@contextmanager
def _damage(source: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        raise InputError(
            f"{source}: is no whole tar or zip archive ({quoted(error)}); pack or download it again"
        ) from error
