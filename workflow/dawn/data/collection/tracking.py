"""What a change in a folder of images is recognised by, without reading the images."""

import hashlib
from pathlib import Path

from dawn.core.cli import InputError, describe
from dawn.data.collection.walk import walk


def file_list(folder: str) -> str:
    """SHA-256 of the path, size and modification time of every file below a folder; hidden ones do not count.

    Of a folder that cannot be listed, the reason, which the step that reads it says too.
    """
    try:
        files, folders = walk(Path(folder))
    except (OSError, InputError) as error:
        return describe(error)
    lines = [f"{name} {status.st_size} {status.st_mtime_ns}" for name, status in files.items()]
    return hashlib.sha256("\n".join([*lines, *folders]).encode("utf-8", "surrogateescape")).hexdigest()
