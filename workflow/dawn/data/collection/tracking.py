"""What a change in a folder of images is recognised by, without reading the images."""

import hashlib
import os
from pathlib import Path


def file_list(folder: str) -> str:
    """SHA-256 of the path, size and modification time of every file below a folder; hidden ones do not count."""
    lines = []
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith("."):
                about = Path(place, name).stat()
                lines.append(f"{os.path.relpath(place, folder)}/{name} {about.st_size} {about.st_mtime_ns}")
    return hashlib.sha256("\n".join(lines).encode("utf-8", "surrogateescape")).hexdigest()
