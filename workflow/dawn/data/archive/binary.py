"""The layout of cifar-10-binary.tar.gz: records of a label byte and a red, a green and a blue plane."""

from pathlib import Path

import numpy as np

from dawn.core.cli import InputError
from dawn.data.archive import batches
from dawn.data.archive.dataset import VALUES, Dataset, Split, class_lines, images_of

RECORD = 1 + VALUES  # bytes
TOP = "cifar-10-batches-bin"
TRAIN = [f"{TOP}/data_batch_{k}.bin" for k in range(1, 6)]
TEST = f"{TOP}/test_batch.bin"
NAMES = f"{TOP}/batches.meta.txt"


def read(archive: Path) -> Dataset:
    """The data set in an archive of this layout; InputError on anything else."""
    return batches.read(archive, TRAIN, TEST, NAMES, class_lines, batch)


def batch(data: bytes, where: str) -> Split:
    """The images and labels of the records of one member; InputError where a record is not whole."""
    if len(data) % RECORD:
        raise InputError(f"{where}: {len(data)} bytes are no whole number of records of {RECORD} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    return Split(images_of(records[:, 1:]), records[:, 0].copy())
