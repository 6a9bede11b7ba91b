"""The layouts of the archives of CIFAR-10 and CIFAR-100, by the names that data.layout has for them."""

from collections.abc import Callable
from functools import partial

import numpy as np

from dawn.config.types import Labels
from dawn.core.cli import InputError
from dawn.data.archive import pickles
from dawn.data.archive.batches import Batch, Layout
from dawn.data.archive.contents import VALUES, class_lines

MEMBER_100 = 256 << 20  # bytes of a member; the train batch of CIFAR-100 has 155 million
KINDS: tuple[Labels, ...] = ("coarse", "fine")  # of the label bytes in a binary record of CIFAR-100


def records(data: bytes, where: str, labels: int = 1, which: int = 0) -> Batch:
    """The images and labels of the records of one member; InputError where a record is not whole.

    A record has ``labels`` label bytes, of which number ``which`` is used, and a red, a green and a blue plane.
    """
    size = labels + VALUES
    if len(data) % size:
        raise InputError(f"{where}: {len(data)} bytes are no whole number of records of {size} bytes")
    rows = np.frombuffer(data, np.uint8).reshape(-1, size)
    return rows[:, labels:], rows[:, which].copy()


def cifar10_python(_: Labels) -> Layout:
    """cifar-10-python.tar.gz: pickled dictionaries."""
    top = "cifar-10-batches-py"
    train = [f"{top}/data_batch_{k}" for k in range(1, 6)]
    return Layout(train, f"{top}/test_batch", f"{top}/batches.meta", pickles.names_of, pickles.batch)


def cifar10_binary(_: Labels) -> Layout:
    """cifar-10-binary.tar.gz."""
    top = "cifar-10-batches-bin"
    train = [f"{top}/data_batch_{k}.bin" for k in range(1, 6)]
    return Layout(train, f"{top}/test_batch.bin", f"{top}/batches.meta.txt", class_lines, records)


def cifar100_python(labels: Labels) -> Layout:
    """cifar-100-python.tar.gz: the file that its authors' editor left there is not read."""
    top = "cifar-100-python"
    names_of = partial(pickles.names_of, key=f"{labels}_label_names")
    batch = partial(pickles.batch, key=f"{labels}_labels")
    return Layout([f"{top}/train"], f"{top}/test", f"{top}/meta", names_of, batch, [f"{top}/file.txt~"], MEMBER_100)


def cifar100_binary(labels: Labels) -> Layout:
    """cifar-100-binary.tar.gz."""
    top = "cifar-100-binary"
    names, other = (f"{top}/{kind}_label_names.txt" for kind in sorted(KINDS, key=lambda kind: kind != labels))
    batch = partial(records, labels=len(KINDS), which=KINDS.index(labels))
    return Layout([f"{top}/train.bin"], f"{top}/test.bin", names, class_lines, batch, [other], MEMBER_100)


LAYOUTS: dict[str, Callable[[Labels], Layout]] = {
    "python": cifar10_python,
    "binary": cifar10_binary,
    "cifar100-python": cifar100_python,
    "cifar100-binary": cifar100_binary,
}
