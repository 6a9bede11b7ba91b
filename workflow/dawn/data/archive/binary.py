"""The layout of cifar-10-binary.tar.gz: records of a label byte and a red, a green and a blue plane."""

from pathlib import Path

import numpy as np

from dawn.core.cli import InputError
from dawn.data.archive import batches
from dawn.data.archive.contents import VALUES, Contents, Split, class_lines, images_of

TOP = "cifar-10-batches-bin"
TRAIN = [f"{TOP}/data_batch_{k}.bin" for k in range(1, 6)]
TEST = f"{TOP}/test_batch.bin"
NAMES = f"{TOP}/batches.meta.txt"


def read(archive: Path) -> Contents:
    """The contents of an archive of this layout; InputError on anything else."""
    return batches.read(archive, TRAIN, TEST, NAMES, class_lines, batch)


def batch(data: bytearray, where: str, labels: int = 1, which: int = 0) -> Split:
    """The images and labels of the records of one member; InputError where a record is not whole.

    A record has ``labels`` label bytes, of which number ``which`` is used, and then the planes.
    """
    record = labels + VALUES
    if len(data) % record:
        raise InputError(f"{where}: {len(data)} bytes are no whole number of records of {record} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, record)
    return Split((images_of(records[:, labels:]),), records[:, which].copy())
