"""Archives that would take much memory or time: each is refused or read within little of both.

Every one is read by a process of its own, whose peak memory is measured; all are forked from one that has imported the
step, which takes about 60 MiB.
"""

import hashlib
import json
import struct
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import TypeAlias

import archives
import numpy as np
import pytest
from archives import png_chunk
from numpy.typing import NDArray
from refusals import BINARY, LONGEST, PYTHON, SAMPLE, refused, special, swap

from dawn.data.archive import tar

MIB = 1 << 20
Steps: TypeAlias = "subprocess.Popen[str]"
PEAK = 160  # MiB of the process that refuses an archive
STEPS = """
import json, os, sys
from dawn import arrays
from dawn.core import cli
for line in sys.stdin:
    stderr, *sys.argv = json.loads(line)
    if (child := os.fork()) == 0:
        os.dup2(os.open(stderr, os.O_WRONLY | os.O_CREAT), 2)
        sys.exit(cli.run(arrays.main))
    _, status, used = os.wait4(child, 0)
    print(os.waitstatus_to_exitcode(status), used.ru_maxrss // 1024, flush=True)
"""


@pytest.fixture(scope="module")
def steps() -> Iterator[Steps]:
    """A process that runs the step in a fork for each line: the name of a file for its stderr, and the arguments."""
    line = [sys.executable, "-c", STEPS]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process


def measured(steps: Steps, archive: Path, layout: str) -> tuple[str, float, int]:
    """The step's reason to refuse an archive, if it does, its seconds and its peak memory in MiB."""
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    stderr = archive.with_name("stderr")
    line = [stderr, "arrays", "--source", archive, "--layout", layout, "--sha256", digest]
    line += ["--out", archive.parent / "out"]
    began = time.monotonic()
    assert steps.stdin and steps.stdout
    print(json.dumps([*map(str, line)]), file=steps.stdin, flush=True)
    code, peak = map(int, steps.stdout.readline().split())
    assert code in (0, 1)
    return stderr.read_text() if code else "", time.monotonic() - began, peak


def packed(pieces: Iterable[bytes]) -> bytes:
    """A gzip stream, made without holding what is in it."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([*map(packer.compress, pieces), packer.flush()])


def repeated(head: bytes, block: bytes, times: int) -> bytes:
    return packed([head, *[block] * times])


def header(name: str, kind: bytes = tarfile.REGTYPE, size: int = 0) -> bytes:
    info = special(name, kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def member(name: str, data: bytes) -> bytes:
    return header(name, size=len(data)) + data + b"\0" * (-len(data) % 512)


def zeros() -> bytes:
    return repeated(b"", b"\0" * MIB, 300)


def pax_record() -> bytes:
    return repeated(header("x", tarfile.XHDTYPE, 8 << 30), b"99 path=aaaa\n" * 80_000, 300)


def long_name() -> bytes:
    return repeated(header("././@LongLink", tarfile.GNUTYPE_LONGNAME, 300 * MIB), b"a" * MIB, 300)


def long_names() -> bytes:
    name = header("././@LongLink", tarfile.GNUTYPE_LONGNAME, 12_001)
    return packed(
        name + f"{k:012000}\0".encode().ljust(12_288, b"\0") + header("readme.html", tarfile.REGTYPE)
        for k in range(25_000)
    )


def large_member() -> bytes:
    return repeated(header(f"{BINARY}/data_batch_1.bin", size=300 * MIB), b"a" * MIB, 300)


def pax_chain() -> bytes:
    return repeated(b"", header("x", tarfile.XHDTYPE), 100_000)


def sparse_chain() -> bytes:
    head = bytearray(header("a", tarfile.GNUTYPE_SPARSE))
    head[482] = 1  # more sparse headers follow
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return repeated(bytes(head), (b"%011o\0" % 1) * 42 + b"\1" + b"\0" * 7, 200_000)


def readmes() -> bytes:
    return repeated(b"", header("readme.html", size=60 * MIB) + b"\0" * (60 * MIB), 20)


def class_lines() -> bytes:
    return packed([header(f"{BINARY}/batches.meta.txt", size=60 * MIB), b"a\n" * (30 * MIB)])


def class_name() -> bytes:
    return packed([header(f"{BINARY}/batches.meta.txt", size=60 * MIB), b"\x1b" * (60 * MIB)])


ARCHIVES = [
    zeros, pax_record, long_name, long_names, large_member, pax_chain, sparse_chain, readmes, class_lines, class_name,
]  # fmt: skip


@pytest.mark.parametrize("archive", ARCHIVES)
def test_headers_and_members_without_end(steps: Steps, tmp_path: Path, archive: Callable[[], bytes]) -> None:
    path = tmp_path / "large.tar.gz"
    path.write_bytes(archive())
    message, seconds, peak = measured(steps, path, "binary")
    assert message.count("\n") == 1 and "large.tar.gz: " in message and len(message) < LONGEST
    assert seconds < 20
    assert peak < PEAK
    assert not (tmp_path / "out").exists()


def text(value: bytes) -> bytes:
    """A Python 2 string in a pickle, of any length."""
    return b"T" + struct.pack("<i", len(value)) + value


LONG = text(b"k" * (20 * MIB)) + b"q\0"  # a string of 20 MiB, put into the memo
ENCODE = b"c_codecs\nencode\nq\0X" + struct.pack("<I", MIB) + b"a" * MIB + b"q\1X\6\0\0\0latin1q\2"
PICKLES = {
    "one long key set again and again": b"\x80\x02}(" + LONG + b"K\0" + b"h\0K\0" * 200_000 + b"u.",
    "a long text encoded again and again": b"\x80\x02" + ENCODE + b"h\0h\1h\2\x86R" * 99_999 + b".",
    "a long name for every class": b"\x80\x02}" + text(b"label_names") + b"](" + LONG + b"h\0" * 200_000 + b"es.",
    "a global of a long name": b"\x80\x02c" + b"m" * (20 * MIB) + b"\nn\n.",
    "a number of many digits": b"\x80\x02L" + b"9" * (20 * MIB) + b"L\n.",
    "a float of many digits": b"\x80\x02F" + b"x" * (20 * MIB) + b"\n.",
    "more opcodes than allowed": b"\x80\x04" + b"N" * (20 * MIB) + b".",
    "a deep tuple": b"\x80\x04)" + b"\x85" * 290_000 + b"}\x94h\0h\0s.",
    "a deep list": b"\x80\x04" + b"]" * 290_000 + b"a" * 289_999 + b".",
}


@pytest.mark.parametrize("content", PICKLES.values(), ids=PICKLES)
@pytest.mark.parametrize("name", ["batches.meta", "data_batch_1"])
def test_pickles_of_much_work(steps: Steps, tmp_path: Path, content: bytes, name: str) -> None:
    members = swap(archives.python(SAMPLE), f"{PYTHON}/{name}", content)
    path = archives.archive(tmp_path / "large.tar.gz", members)
    message, seconds, peak = measured(steps, path, "python")
    assert message.count("\n") == 1 and name in message and len(message) < LONGEST
    assert seconds < 10
    assert peak < PEAK + 5 * len(content) / MIB


def png_of(size: int, image: NDArray[np.uint8]) -> bytes:
    """A PNG of an image that an ancillary chunk makes so many bytes long."""
    plain = archives.png(image)
    end = png_chunk(b"IEND", b"")
    return plain.removesuffix(end) + png_chunk(b"tEXt", b"\0" * (size - len(plain) - 12)) + end


@pytest.mark.parametrize("count", [2_000, pytest.param(12_000, marks=pytest.mark.full)])
def test_large_pngs_take_no_more_memory_than_their_pixels(steps: Steps, tmp_path: Path, count: int) -> None:
    train, test = (png_of(60 << 10, images[0][0]) for images in (SAMPLE.train, SAMPLE.test))
    files = [
        member("cifar10/test/a/0.png", test),
        *(member(f"cifar10/train/a/{k}.png", train) for k in range(1, count)),
    ]
    pieces = [member("cifar10/labels.txt", b"a"), *files, b"\0" * 1024]
    (tmp_path / "large.tgz").write_bytes(packed(pieces))
    message, _, peak = measured(steps, tmp_path / "large.tgz", "folders")
    assert message == ""
    assert len(np.load(tmp_path / "out/train_images.npy", mmap_mode="r")) == count - 1
    assert peak < 110 + count * 3072 / MIB


def batches(layout: str, count: int) -> Iterator[bytes]:
    """A tar of six batches, each of so many images of one class: black ones, and white ones in the test split."""
    if layout == "binary":
        yield member(f"{BINARY}/batches.meta.txt", b"a")
        black, white = (b"\0" * (3073 * count), (b"\0" + b"\xff" * 3072) * count)
    else:
        yield member(f"{PYTHON}/batches.meta", archives.python2_meta(("a",)))
        black, white = (archives.python2_batch(np.full((count, 3072), v, np.uint8), [0] * count) for v in (0, 255))
    for name in [*(f"data_batch_{k}" for k in range(1, 6)), "test_batch"]:
        content = white if name == "test_batch" else black
        yield member(f"{BINARY}/{name}.bin" if layout == "binary" else f"{PYTHON}/{name}", content)
    yield b"\0" * 1024


@pytest.mark.parametrize("size", [15, pytest.param(60, marks=pytest.mark.full)])
@pytest.mark.parametrize("layout", ["binary", "python"])
def test_batches_are_in_memory_once(steps: Steps, tmp_path: Path, layout: str, size: int) -> None:
    count = size * MIB // 3073
    (tmp_path / "large.tar.gz").write_bytes(packed(batches(layout, count)))
    message, _, peak = measured(steps, tmp_path / "large.tar.gz", layout)
    assert message == ""
    assert np.load(tmp_path / "out/train_labels.npy").shape == (5 * count,)
    assert peak < 75 + (6 + 3) * size


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "DATA_SET", tar.Limits(members=50, name=200, total=1 << 30))
    members = [(f"{k}/readme.html", b"x") for k in range(60)]
    assert "more than 50 members" in refused(tmp_path, "binary", [*members, *archives.binary(SAMPLE)])
