"""Archives that ``dawn.arrays`` must refuse, and how it refuses them: one line, nothing written."""

import tarfile
from pathlib import Path

import archives
from archives import Member, sample

from dawn import arrays

BINARY = "cifar-10-batches-bin"
PYTHON = "cifar-10-batches-py"
SAMPLE = sample()
LONGEST = 700  # characters of a message, whatever the archive holds


def refusal(archive: Path, layout: str, *args: object) -> str:
    """The message about an archive that the step must refuse; nothing may be left in --out."""
    out = archive.parent / "out"
    message = archives.call(arrays.main, "--source", archive, "--layout", layout, "--out", out, *args)
    assert message is not None, "the archive was accepted"
    assert one_line(message) and message.startswith("dawn.arrays: ")
    assert not out.exists() or not list(out.iterdir())
    return message


def one_line(message: str) -> bool:
    """Whether a message is short and fit for a terminal, whatever was quoted in it."""
    return message.isprintable() and len(message) < LONGEST


def refused(tmp_path: Path, layout: str, members: list[Member]) -> str:
    """The message about an archive of these members."""
    return refusal(archives.archive(tmp_path / "bad.tar.gz", members), layout)


def swap(members: list[Member], name: str, data: bytes) -> list[Member]:
    """The members with the content of one replaced."""
    assert name in dict(members)
    return [(key, content) if key != name else (key, data) for key, content in members]


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    """A member that is no plain file, or whose header is odd."""
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info
