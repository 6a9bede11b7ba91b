"""The files below a folder: the one way in which training, prediction and translation list images."""

import errno
import os
from contextlib import suppress
from pathlib import Path, PurePosixPath

from dawn.core.cli import InputError

SUFFIXES = (
    ".png", ".jpg", ".jpeg", ".webp", ".gif", ".bmp", ".tif", ".tiff", ".ppm", ".pgm", ".pbm", ".pnm", ".avif",
    ".heic", ".heif", ".hif", ".jfif", ".jpe", ".apng",
)  # fmt: skip
# Folders that systems add: macOS to a zip, Synology's and QNAP's disks, Windows and Linux to the top of a disk.
ADDED = {"__MACOSX", "@eaDir", ".@__thumb", "$RECYCLE.BIN", "System Volume Information", "lost+found"}


def hidden(name: str) -> bool:
    """Return whether a relative path is hidden, or in a folder that a system added."""
    return any((part.startswith(".") and part != ".") or part in ADDED for part in PurePosixPath(name).parts)


def is_image(name: str) -> bool:
    """Return whether a file has the name of an image."""
    return PurePosixPath(name).suffix.lower() in SUFFIXES


def walk(folder: Path) -> tuple[dict[str, os.stat_result], list[str]]:
    """The files below a folder by their relative paths, sorted, and its folders; hidden ones are left out.

    Links are followed; of one that leads nowhere the result has what it is itself. An OSError at a folder that cannot
    be read, an InputError at a link to a folder around it, which has no end.
    """
    files: dict[str, os.stat_result] = {}
    folders: list[str] = []
    around: tuple[os.stat_result, ...] = (folder.stat(),)
    waiting = [(str(folder), "", around)]
    while waiting:
        path, above, around = waiting.pop()
        with os.scandir(path) as entries:
            for entry in entries:
                name = above + entry.name
                if hidden(entry.name):
                    continue
                if _is_folder(entry):
                    if any(os.path.samestat(entry.stat(), other) for other in around):
                        raise InputError(f"{entry.path} is a link to a folder that it is in; delete the link")
                    folders.append(name)
                    waiting.append((entry.path, f"{name}/", (*around, entry.stat())))
                    continue
                dangling = entry.is_symlink() and not Path(entry.path).exists()
                if dangling and not is_image(name):  # the name is that of a folder
                    folders.append(name)
                with suppress(FileNotFoundError):  # deleted since
                    files[name] = entry.stat(follow_symlinks=not dangling)
    return dict(sorted(files.items())), sorted(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    """Return whether an entry is a folder or a link to one; a link to itself leads nowhere."""
    try:
        return entry.is_dir()
    except OSError as error:
        if error.errno == errno.ELOOP:
            return False
        raise


def image_files(places: list[Path]) -> tuple[list[Path], list[str]]:
    """The files among ``places`` and the image files below its folders, sorted, each once; and what cannot be used."""
    files: dict[Path, None] = {}
    faults = []
    for place in places:
        if place.is_dir():
            try:
                images = [place / name for name in walk(place)[0] if is_image(name)]
            except OSError as error:
                faults.append(f"{error.filename}: cannot be read ({error.strerror})")
                continue
            except InputError as error:  # a link without an end
                faults.append(str(error))
                continue
            files |= dict.fromkeys(images)
            faults += [] if images else [f"{place}: has no image file ({', '.join(SUFFIXES)})"]
        elif os.path.lexists(place):
            files[place] = None
        else:
            faults.append(f"{place}: is not there")
    return list(files), faults
