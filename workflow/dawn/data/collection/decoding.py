"""Many image files to arrays of one size over several processes, with a bounded number of images in memory."""

import hashlib
import multiprocessing
import os
from collections import deque
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from dawn.config.types import Resize
from dawn.core.cli import InputError
from dawn.core.files import open_plain
from dawn.core.host import cores, end_with_parent
from dawn.data.archive.contents import SIDE
from dawn.data.collection.source import File
from dawn.data.image_file import MAX_BYTES, read_image, read_png

CHUNK = 64  # files that a process decodes at once
CHUNK_BYTES = 16 << 20  # of those of an archive, after which a chunk ends
FEW = 400  # files that are not worth starting processes for

# of some files: images uint8 (k, size, size, 3), SHA-256 of each file, and why some cannot be read, by their names
Decoded = tuple[NDArray[np.uint8], list[str], dict[str, str]]


def decode(files: Sequence[File], size: int | None, resize: Resize) -> Decoded:
    """Decode some files; one that cannot be read is black. Without ``size`` all must be PNGs of SIDE."""
    side = size or SIDE
    images = np.zeros((len(files), side, side, 3), np.uint8)
    digests, faults = [""] * len(files), dict[str, str]()
    for i, (name, source) in enumerate(files):
        try:
            data = source if isinstance(source, bytes) else _beginning(source)
            digests[i] = hashlib.sha256(data).hexdigest()
            images[i] = read_image(data, size, resize) if size else read_png(data, side)
        except OSError as error:
            faults[name] = f"cannot be read ({error.strerror})"
        except InputError as error:
            faults[name] = str(error)
    return images, digests, faults


def _beginning(path: Path) -> bytes:
    """The bytes of a file, or one more than an image may have."""
    with open_plain(path) as file:
        return file.read(MAX_BYTES + 1)


def _chunks(files: Iterator[File]) -> Iterator[list[File]]:
    """The files, ``CHUNK`` at a time, or fewer where they have many bytes in memory."""
    chunk: list[File] = []
    size = 0
    for name, source in files:
        chunk.append((name, source))
        size += len(source) if isinstance(source, bytes) else 0
        if len(chunk) == CHUNK or size > CHUNK_BYTES:
            yield chunk
            chunk, size = [], 0
    if chunk:
        yield chunk


def decoded(files: Iterator[File], count: int, size: int | None, resize: Resize) -> Iterator[Decoded]:
    """Decode ``count`` files in order, in this process or several; these end with this one, however it ends."""
    if count <= FEW or cores() == 1:
        yield from (decode(chunk, size, resize) for chunk in _chunks(files))
        return
    workers = cores()
    pending: deque[Future[Decoded]] = deque()
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, context, end_with_parent, (os.getpid(),)) as pool:
        ended = False
        try:
            for chunk in _chunks(files):
                pending.append(pool.submit(decode, chunk, size, resize))
                if len(pending) > 2 * workers:
                    yield pending.popleft().result()
            while pending:
                yield pending.popleft().result()
            ended = True
        except BrokenProcessPool as error:
            raise InputError("a process that decodes images was killed; is there too little memory?") from error
        finally:
            if not ended:  # the images are not wanted any more
                pool.shutdown(wait=False, cancel_futures=True)
                for worker in multiprocessing.active_children():
                    worker.kill()
