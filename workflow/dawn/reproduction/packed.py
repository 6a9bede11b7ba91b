"""The code in a crate: whether it is that of the commit it names, and how the code here differs from it."""

from collections.abc import Mapping
from pathlib import Path

from dawn.core.cli import InputError, listed
from dawn.core.git import NOT_CODE, git
from dawn.reproduction.files import Sum


def code_of(sums: Mapping[str, Sum]) -> dict[str, Sum]:
    """Return the checksums of the packed code, without settings, which each result has in full."""
    return {name: known for name, known in sums.items()
            if not name.startswith(("results/", "ro-crate-", *NOT_CODE))}  # fmt: skip


def check_commit(source: str, sums: Mapping[str, Sum], commit: str | None, dirty: bool | None, root: Path) -> str:
    """Say whether the packed code is that of its commit, which the repository at ``root`` may know.

    Raises an InputError where it is not, and the crate does not say that its code was changed.
    """
    packed = code_of(sums)
    if not packed:
        return "the code is not packed"
    if commit is None:
        return "the packed code names no commit"
    listing = git(root, "ls-tree", "-r", "--full-tree", "--format=%(objectname) %(path)", commit)
    if listing is None:
        return f"commit {commit} is not in this repository, so the packed code cannot be compared with it"
    known = {name: blob for blob, _, name in (line.partition(" ") for line in listing.splitlines())}
    # A packed file of settings may hide addresses.
    other = [name for name in packed if packed[name].git != known.get(name) and not name.endswith(".yaml")]
    if other and not dirty:
        raise InputError(f"{source}: the packed code is not that of commit {commit}, which it names: {listed(other)}")
    if other:
        return f"the code was changed after commit {commit}: {', '.join(other)}"
    return f"the packed code is that of commit {commit}"


def changed(sums: Mapping[str, Sum], root: Path) -> list[str]:
    """Return the packed files of code that differ here, or are missing."""
    packed = code_of(sums)
    return [name for name, known in packed.items()
            if not (root / name).is_file() or Sum.of((root / name).read_bytes()) != known]  # fmt: skip
