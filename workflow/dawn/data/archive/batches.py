"""What the two layouts of Krizhevsky share: five train batches, a test batch and a member with the class names."""

import re
from collections.abc import Callable
from pathlib import Path

from dawn.core.cli import InputError, quoted
from dawn.data.archive import tar
from dawn.data.archive.contents import Contents, Split, joined, require

Names = Callable[[bytearray, str], tuple[str, ...]]
Batch = Callable[[bytearray, str], Split]


def read(
    archive: Path,
    train: list[str],
    test: str,
    names: str,
    names_of: Names,
    batch: Batch,
    others: tuple[str, ...] = (),
    limit: int = tar.MEMBER,
) -> Contents:
    """The contents of an archive of these members, each parsed by ``names_of`` or ``batch``; InputError on others.

    ``others`` may be there too and are not read; ``limit`` is the size of a member in bytes.
    """
    batches: dict[str, Split] = {}
    classes: tuple[str, ...] | None = None
    known = re.compile("|".join(map(re.escape, [*train, test, names, *others])))
    for name, data in tar.members(archive, known, limit):
        where = f"{archive.name}: {quoted(name)}"
        if name == names:
            classes = names_of(data, where)
        elif name not in others:
            batches[name] = batch(data, where)
    if classes is None:
        raise InputError(f"{archive.name}: has no {names}; is this the right archive for the chosen layout?")
    require(archive.name, batches, [*train, test])
    splits = (joined(archive.name, classes, {name: batches[name] for name in part}) for part in (train, [test]))
    return Contents(classes, *splits)
