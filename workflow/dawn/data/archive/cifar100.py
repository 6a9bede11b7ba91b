"""The layouts of CIFAR-100: one train and one test batch, with a fine label (100 classes) and a coarse one (20)."""

from functools import partial
from pathlib import Path

from dawn.config.types import Labels
from dawn.data.archive import batches, binary, pickles
from dawn.data.archive.contents import Contents, class_lines

PYTHON, BINARY = "cifar-100-python", "cifar-100-binary"
MEMBER = 256 << 20  # bytes; the train batch has 155 million
ORDER: tuple[Labels, ...] = ("coarse", "fine")  # of the label bytes in a binary record


def read_python(archive: Path, labels: Labels) -> Contents:
    """The data set in cifar-100-python.tar.gz; InputError on anything else."""
    names_of = partial(pickles.names_of, key=f"{labels}_label_names")
    batch = partial(pickles.batch, key=f"{labels}_labels")
    train, test, meta = (f"{PYTHON}/{name}" for name in ("train", "test", "meta"))
    return batches.read(archive, [train], test, meta, names_of, batch, (f"{PYTHON}/file.txt~",), MEMBER)


def read_binary(archive: Path, labels: Labels) -> Contents:
    """The data set in cifar-100-binary.tar.gz; InputError on anything else."""
    batch = partial(binary.batch, labels=len(ORDER), which=ORDER.index(labels))
    names, others = (f"{BINARY}/{kind}_label_names.txt" for kind in sorted(ORDER, key=lambda kind: kind != labels))
    train, test = (f"{BINARY}/{name}.bin" for name in ("train", "test"))
    return batches.read(archive, [train], test, names, class_lines, batch, (others,), MEMBER)
