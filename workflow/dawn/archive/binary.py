"""The layout of cifar-10-binary.tar.gz: records of a label byte and a red, a green and a blue plane."""

import re
from pathlib import Path

import numpy as np

from dawn.archive import tar
from dawn.archive.dataset import VALUES, Dataset, Split, class_lines, images_of, joined, require
from dawn.cli import Refusal

RECORD = 1 + VALUES  # bytes
TOP = "cifar-10-batches-bin"
TRAIN = [f"{TOP}/data_batch_{k}.bin" for k in range(1, 6)]
TEST = f"{TOP}/test_batch.bin"
NAMES = f"{TOP}/batches.meta.txt"
WANTED = re.compile("|".join(map(re.escape, [*TRAIN, TEST, NAMES])))


def read(archive: Path) -> Dataset:
    """The data set in an archive of this layout; Refusal on anything else."""
    batches: dict[str, Split] = {}
    classes: tuple[str, ...] | None = None
    for name, data in tar.members(archive, WANTED):
        where = f"{archive.name}: {name}"
        if name == NAMES:
            classes = class_lines(data, where)
        else:
            batches[name] = batch(data, where)
    if classes is None:
        raise Refusal(f"{archive.name}: has no {NAMES}; is this the right archive for the chosen layout?")
    require(archive.name, batches, [*TRAIN, TEST])
    train = joined(archive.name, classes, {name: batches.pop(name) for name in TRAIN})
    return Dataset(classes, train, joined(archive.name, classes, batches))


def batch(data: bytes, where: str) -> Split:
    """The images and labels of the records of one member; Refusal where a record is not whole."""
    if len(data) % RECORD:
        raise Refusal(f"{where}: {len(data)} bytes are no whole number of records of {RECORD} bytes")
    records = np.frombuffer(data, np.uint8).reshape(-1, RECORD)
    return Split(images_of(records[:, 1:]), records[:, 0].copy())
