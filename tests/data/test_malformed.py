"""Archives that are broken or hostile: one clear line, nothing written, little memory."""

import gzip
import os
import pickle
import struct
import subprocess
import sys
import tarfile
import time
import zlib
from collections.abc import Callable
from pathlib import Path

import archives
import numpy as np
import pytest
from archives import Member, png_chunk, sample
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from dawn import arrays
from dawn.data.archive import tar

BINARY = "cifar-10-batches-bin"
PYTHON = "cifar-10-batches-py"
SAMPLE = sample()
MANY = "\n".join(map(str, range(257))).encode()
IMAGE = SAMPLE.train[0][0]


def refusal(archive: Path, layout: str, *args: object) -> str:
    """What the step says of an archive that it must refuse; nothing may be left in --out."""
    out = archive.parent / "out"
    message = archives.call(arrays.main, "--archive", archive, "--layout", layout, "--out", out, *args)
    assert message is not None, "the archive was accepted"
    assert "\n" not in message and message.startswith("dawn.arrays: ")
    assert not out.exists()
    return message


def refused(tmp_path: Path, layout: str, members: list[Member]) -> str:
    return refusal(archives.archive(tmp_path / "bad.tar.gz", members), layout)


def swap(members: list[Member], name: str, data: bytes | None) -> list[Member]:
    """The members with one replaced, or left out."""
    assert name in dict(members)
    return [(k, d) if k != name else (k, data) for k, d in members if k != name or data is not None]


def special(name: str, kind: bytes, target: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, target
    return info


# The file


@pytest.mark.parametrize("layout", archives.LAYOUTS)
@pytest.mark.parametrize("packed", [True, False])
def test_truncated_anywhere(tmp_path: Path, layout: str, packed: bool) -> None:
    of = sample(10, 3)
    archive = archives.archive(tmp_path / "a.tar", archives.LAYOUTS[layout](of), packed)
    whole = archive.read_bytes()
    content = len(whole) if packed else len(whole.rstrip(b"\0")) - 1
    for size in sorted({*range(0, content, content // 25), content - 1, content - 4, content - 8}):
        archive.write_bytes(whole[:size])
        assert "a.tar" in refusal(archive, layout)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_flipped_bytes_change_nothing_or_are_refused(tmp_path: Path, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(sorted(archives.LAYOUTS)))
    packed = data.draw(st.booleans())
    archive = archives.archive(tmp_path / "a.tar", archives.LAYOUTS[layout](sample(6, 3)), packed)
    raw = bytearray(archive.read_bytes())
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(0, len(raw) - 1))] ^= data.draw(st.integers(1, 255))
    archive.write_bytes(raw)
    message = archives.call(arrays.main, "--archive", archive, "--layout", layout, "--out", tmp_path / "out")
    if message is not None:
        assert "\n" not in message
    elif packed:  # the checksum covers all but the gzip header
        np.testing.assert_array_equal(np.load(tmp_path / "out/train_images.npy"), sample(6, 3).train[0])


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_damaged_members_never_end_in_a_traceback(tmp_path: Path, data: st.DataObject) -> None:
    layout = data.draw(st.sampled_from(["python", "folders"]))
    members = archives.LAYOUTS[layout](sample(5, 3))
    index = data.draw(st.sampled_from([i for i, (_, content) in enumerate(members) if content]))
    name, content = members[index]
    raw = bytearray(content[: data.draw(st.integers(0, len(content)))])
    head = min(len(raw), 400)  # where a pickle or PNG has its structure
    for _ in range(data.draw(st.integers(0, 3)) if raw else 0):
        raw[data.draw(st.integers(0, head - 1))] = data.draw(st.integers(0, 255))
    members[index] = (name, bytes(raw) + data.draw(st.sampled_from([b"", b".", b"0" * 9])))
    archive = archives.archive(tmp_path / "a.tar", members, packed=False)
    message = archives.call(arrays.main, "--archive", archive, "--layout", layout, "--out", tmp_path / "out")
    assert message is None or "\n" not in message


@pytest.mark.parametrize("surplus", [b"\0", b"garbage", b"\0" * 4096 + b"x", gzip.compress(b"more", mtime=0)])
def test_bytes_after_the_gzip_stream(tmp_path: Path, surplus: bytes) -> None:
    archive = archives.archive(tmp_path / "a.tar.gz", archives.binary(SAMPLE))
    archive.write_bytes(archive.read_bytes() + surplus)
    assert "follow the end" in refusal(archive, "binary")


@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("surplus", [b"x", b"\0" * 99_999 + b"x", b"\0" * (2 << 20)])
def test_bytes_after_the_tar(tmp_path: Path, packed: bool, surplus: bytes) -> None:
    data = archives.tar_bytes(archives.binary(SAMPLE)) + surplus
    archive = tmp_path / "a.tar.gz"
    archive.write_bytes(gzip.compress(data) if packed else data)
    assert "follows the end of the tar" in refusal(archive, "binary")


@pytest.mark.parametrize("layout", archives.LAYOUTS)
@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"x",
        b"<html>not found</html>" * 99,
        b"PK\3\4" + b"\0" * 999,
        b"\x1f\x8b",
        gzip.compress(b""),
        gzip.compress(b"no tar" * 999),
        archives.tar_bytes([]),
        gzip.compress(archives.tar_bytes([])),
    ],
    ids=[
        "empty",
        "byte",
        "html",
        "zip",
        "gzip-magic",
        "gzip-of-nothing",
        "gzip-of-text",
        "no-members",
        "no-members-gz",
    ],
)
def test_no_archive_at_all(tmp_path: Path, layout: str, data: bytes) -> None:
    archive = tmp_path / "bad.tar.gz"
    archive.write_bytes(data)
    assert "bad.tar.gz" in refusal(archive, layout)


def test_a_directory_or_nothing_as_archive(tmp_path: Path) -> None:
    assert "directory" in refusal(tmp_path, "binary")
    assert "No such file" in refusal(tmp_path / "absent.tar.gz", "binary")


# Members


@pytest.mark.parametrize("layout", archives.LAYOUTS)
@pytest.mark.parametrize(
    ("member", "says"),
    [
        (("../evil.png", b"x"), "leads out"),
        (("cifar10/train/../../../evil.png", b"x"), "leads out"),
        (("/etc/passwd", b"x"), "leads out"),
        ((special("../up", tarfile.DIRTYPE), b""), "leads out"),
        ((special("a", tarfile.SYMTYPE, "/etc/passwd"), b""), "is a link"),
        ((special("a", tarfile.LNKTYPE, "b"), b""), "is a link"),
        ((special("a", tarfile.CHRTYPE), b""), "a device"),
        ((special("a", tarfile.BLKTYPE), b""), "a device"),
        ((special("a", tarfile.FIFOTYPE), b""), "a device"),
        ((special("extra.bin", tarfile.REGTYPE), b""), "unexpected member 'extra.bin'"),
        ((special("new\nline\x1b[2J.png", tarfile.REGTYPE), b""), r"'new\nline\x1b[2J.png'"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_members_that_have_no_place(tmp_path: Path, layout: str, member: Member, says: str) -> None:
    for members in ([member, *archives.LAYOUTS[layout](SAMPLE)], [*archives.LAYOUTS[layout](SAMPLE), member]):
        assert says in refused(tmp_path, layout, members)


@pytest.mark.parametrize("layout", archives.LAYOUTS)
def test_a_member_twice_or_missing(tmp_path: Path, layout: str) -> None:
    members = archives.LAYOUTS[layout](SAMPLE)
    for index, (name, data) in enumerate(members):
        if data and "readme" not in str(name):
            assert "twice" in refused(tmp_path, layout, [*members, (f"./{name}", data)])
            if layout != "folders" or index == 0:
                rest = [*members[:index], *members[index + 1 :]]
                assert str(name).split("/")[-1] in refused(tmp_path, layout, rest)


def test_another_layout_is_named_as_such(tmp_path: Path) -> None:
    assert "right archive for the chosen layout" in refused(tmp_path, "python", archives.binary(SAMPLE))


def test_a_sparse_member(tmp_path: Path) -> None:
    info = special("a.bin", tarfile.GNUTYPE_SPARSE)
    assert "sparse" in refused(tmp_path, "binary", [(info, b""), *archives.binary(SAMPLE)])
    info = special("b.bin", tarfile.REGTYPE)
    info.pax_headers = {"GNU.sparse.map": "0,1", "GNU.sparse.size": "99999999999"}
    assert "sparse" in refused(tmp_path, "binary", [(info, b""), *archives.binary(SAMPLE)])


@pytest.mark.parametrize("size", ["-512", "99999999999999999999", "1e9", "1" * 6000])
def test_a_pax_size_out_of_bounds(tmp_path: Path, size: str) -> None:
    info = special(f"{BINARY}/test_batch.bin", tarfile.REGTYPE)
    info.pax_headers = {"size": size}
    assert "bad.tar.gz" in refused(tmp_path, "binary", [(info, b""), *archives.binary(SAMPLE)])


# Contents


@pytest.mark.parametrize("change", [lambda d: d + b"\0", lambda d: d[:-1], lambda d: d[:3072]])
def test_records_that_are_not_whole(tmp_path: Path, change: Callable[[bytes], bytes]) -> None:
    name = f"{BINARY}/data_batch_3.bin"
    members = archives.binary(SAMPLE)
    message = refused(tmp_path, "binary", swap(members, name, change(dict(members)[name])))
    assert "data_batch_3.bin" in message and "3073" in message


def test_a_label_out_of_range(tmp_path: Path) -> None:
    wrong = sample()
    wrong.test[1][0] = 3
    for layout in ("binary", "python"):
        message = refused(tmp_path, layout, archives.LAYOUTS[layout](wrong))
        assert "test_batch" in message and "label 3" in message and "0 to 2" in message


@pytest.mark.parametrize("labels", [[0, 1], [0, 1, 2, 0, 1], [-1, 0, 1, 2], [256, 0, 1, 2], [2**40, 0, 1, 2]])
def test_pickled_labels_that_do_not_fit(tmp_path: Path, labels: list[int]) -> None:
    content = {b"data": archives.planes(SAMPLE.train[0][:4]), b"labels": labels}
    name = f"{PYTHON}/data_batch_1"
    assert "data_batch_1" in refused(tmp_path, "python", swap(archives.python(SAMPLE), name, pickle.dumps(content, 2)))


@pytest.mark.parametrize("layout", archives.LAYOUTS)
def test_a_class_without_images(tmp_path: Path, layout: str) -> None:
    of = archives.Sample((*archives.CLASSES, "deer"), SAMPLE.train, SAMPLE.test)
    assert "no image of class 'deer'" in refused(tmp_path, layout, archives.LAYOUTS[layout](of))


@pytest.mark.parametrize(
    "names",
    [b"", b"\n\n", b"a\n\nb", b"a\nb\nb", b"a\n b\nc", b"a\nb\x1b[2J\nc", b"\xff\xfe\nb\nc", MANY],
)
def test_class_names_that_are_none(tmp_path: Path, names: bytes) -> None:
    message = refused(tmp_path, "binary", swap(archives.binary(SAMPLE), f"{BINARY}/batches.meta.txt", names))
    assert "batches.meta.txt" in message
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), "cifar10/labels.txt", names))
    assert "labels.txt" in message


def test_folders_that_do_not_fit(tmp_path: Path) -> None:
    members = archives.folders(SAMPLE)
    data = archives.png(IMAGE)
    assert "'horse' is no class" in refused(tmp_path, "folders", [*members, ("cifar10/train/horse/1.png", data)])
    assert "another top folder" in refused(tmp_path, "folders", [*members, ("b/train/cat/1.png", data)])
    train_only = [member for member in members if "/test/" not in str(member[0])]
    assert "no image of class" in refused(tmp_path, "folders", train_only)


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (archives.png(np.zeros((32, 33, 3), np.uint8)), "33x32"),
        (archives.png(np.zeros((1, 1, 3), np.uint8)), "1x1"),
        (archives.png(np.zeros((32, 32, 4), np.uint8), colour=6), "colour type 6"),
        (archives.png(np.zeros((32, 32, 1), np.uint8), colour=0), "colour type 0"),
        (archives.png(IMAGE)[:-1], "truncated"),
        (archives.png(IMAGE)[:1500], "truncated"),
        (archives.png(IMAGE) + b"\0", "padded"),
        (archives.png(IMAGE)[:33], "truncated"),
        (archives.png(IMAGE)[:20], "not a PNG"),
        (b"\xff\xd8\xff\xe0 a JPEG", "not a PNG"),
        (b"GIF89a", "not a PNG"),
        (b"x" * 70_000, "70000 bytes"),
        (archives.png(IMAGE, idat=zlib.compress(IMAGE.tobytes()[:900])), "damaged"),
        (archives.png(IMAGE, idat=b"no zlib"), "damaged"),
        (archives.png(IMAGE, idat=b""), "damaged"),
        (archives.png(IMAGE).replace(b"IDAT", b"IDAX"), "damaged"),
        (archives.png(IMAGE)[:60] + b"\xff\xff" + archives.png(IMAGE)[62:], "damaged"),
        (archives.png(IMAGE).replace(struct.pack(">II", 32, 32), struct.pack(">II", 2**31, 2**31)), "2147483648"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pngs_that_are_none(tmp_path: Path, data: bytes, says: str) -> None:
    name = f"cifar10/train/{archives.CLASSES[SAMPLE.train[1][0]]}/0_{archives.CLASSES[SAMPLE.train[1][0]]}.png"
    message = refused(tmp_path, "folders", swap(archives.folders(SAMPLE), name, data))
    assert says in message and name in message


def test_chunks_beside_the_pixels_are_never_read(tmp_path: Path) -> None:
    bomb = zlib.compress(b"\0" * (16 << 20), 9)
    extra = png_chunk(b"zTXt", b"a\0\0" + bomb) + png_chunk(b"iCCP", b"a\0\0" + bomb)
    extra += png_chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)) + png_chunk(b"tRNS", b"\0" * 6)
    name = f"cifar10/train/{archives.CLASSES[SAMPLE.train[1][0]]}/0_{archives.CLASSES[SAMPLE.train[1][0]]}.png"
    members = swap(archives.folders(SAMPLE), name, archives.png(IMAGE, extra=extra))
    archive = archives.archive(tmp_path / "a.tgz", members)
    assert archives.call(arrays.main, "--archive", archive, "--layout", "folders", "--out", tmp_path) is None
    np.testing.assert_array_equal(np.load(tmp_path / "train_images.npy"), SAMPLE.train[0])


# Pickles


class Runs:
    """Pickles to a call."""

    def __init__(self, function: Callable[..., object], *args: object) -> None:
        self.call = (function, args)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return self.call


def planes_as(change: Callable[[np.ndarray], np.ndarray]) -> dict[bytes, object]:
    return {b"data": change(archives.planes(SAMPLE.train[0][:4])), b"labels": [0, 1, 2, 0]}


def encodes_again_and_again() -> bytes:
    text = b"X" + struct.pack("<I", 1 << 20) + b"a" * (1 << 20)
    return b"\x80\x02c_codecs\nencode\nq\0" + text + b"q\1X\6\0\0\0latin1q\2" + b"h\0h\1h\2\x86R" * 99_999 + b"."


GOOD = archives.python2_batch(archives.planes(SAMPLE.train[0][:4]), [0, 1, 2, 0])


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (pickle.dumps(Runs(os.system, "touch /tmp/dawn-was-here"), 2), "system"),
        (pickle.dumps(Runs(os.system, "touch /tmp/dawn-was-here"), 4), "system"),
        (pickle.dumps({b"data": Runs(eval, "1")}, 2), "eval"),
        (pickle.dumps(Runs(getattr, "a", "join"), 4), "getattr"),
        (b"\x80\x02cnumpy\nload\nU\x01x\x85R.", "numpy.load"),
        (b"\x80\x02c_codecs\nencode\nX\x01\0\0\0aX\x05\0\0\0ascii\x86R.", "latin1"),
        (b"\x80\x02c_codecs\nencode\n)R.", "damaged"),
        (b"cos\nsystem\n(S'true'\ntR.", "os.system"),
        (pickle.dumps(planes_as(lambda d: d), 0), "opcode"),
        (pickle.dumps(planes_as(lambda d: d.astype(object)), 2), "'data'"),
        (pickle.dumps(planes_as(lambda d: d.astype(np.float32)), 5), "'data'"),
        (pickle.dumps(planes_as(lambda d: d.astype(np.int16)), 2), "int16"),
        (pickle.dumps(planes_as(lambda d: d.reshape(4, 32, 96)), 2), "'data'"),
        (pickle.dumps(planes_as(lambda d: d[:, :3071]), 2), "3071"),
        (pickle.dumps(planes_as(np.asfortranarray), 2), "Fortran"),
        (pickle.dumps(planes_as(np.asfortranarray), 5), "Fortran"),
        (pickle.dumps({b"data": [1], b"labels": [0]}), "'data' is no array"),
        (pickle.dumps({b"labels": [0]}), "'data' is no array"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.uint8), b"labels": "0120"}), "'labels'"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.uint8), b"labels": [0.0] * 4}), "opcode BINFLOAT"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.uint8), b"labels": [np.int64(1)] * 4}), "scalar"),
        (pickle.dumps({b"data": np.zeros((4, 3072), np.uint8), b"labels": np.zeros((4, 1), int)}), "'labels'"),
        (pickle.dumps([1, 2]), "a list"),
        (pickle.dumps({(1, 2): 3}), "damaged"),
        (archives.python2_batch(SAMPLE.train[0][:4].reshape(4, -1), [0, 1, 2, 0], b"O8"), "dtype '|O8'"),
        (GOOD.replace(b"M\0\x0c\x86", b"J\xff\xff\xff\x7f\x86"), "do not fill"),
        (GOOD + b"trailing", "left over"),
        (GOOD[:-1], "damaged"),
        (GOOD[:200], "damaged"),
        (b"\x80", "damaged"),
        (encodes_again_and_again(), "latin1"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "'data' is no array"),  # a memo index of 2 billion costs nothing
        (b"\x80\x02" + b"N0" * 9, "opcode POP"),
        (b"\x80\x04" + b"N" * 1_000_001 + b".", "opcodes"),
        (b"\x80\x04" + b")" + b"\x85" * 900_000 + b"}\x94h\0h\0s.", "damaged"),
        (b"\x80\x02T\xff\xff\xff\x7fabc.", "damaged"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x0fabc.", "damaged"),
        (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.", "'data' is no array"),
        (b"\x80\x02h\x07.", "damaged"),
        (b"\x80\x02t.", "damaged"),
        (b"\x80\x02}b.", "damaged"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_pickles_that_do_more_or_less(tmp_path: Path, data: bytes, says: str) -> None:
    name = f"{PYTHON}/data_batch_1"
    message = refused(tmp_path, "python", swap(archives.python(SAMPLE), name, data))
    assert says in message and name in message
    assert not Path("/tmp/dawn-was-here").exists()


@pytest.mark.parametrize("meta", [{}, {"label_names": "abc"}, {"label_names": [1, 2, 3]}, {"label_names": [b"\xff"]}])
def test_meta_without_names(tmp_path: Path, meta: dict[str, object]) -> None:
    members = swap(archives.python(SAMPLE), f"{PYTHON}/batches.meta", pickle.dumps(meta))
    assert "batches.meta" in refused(tmp_path, "python", members)


# Bombs, each in a process of its own with little memory


def zipped(head: bytes, block: bytes, times: int) -> bytes:
    """A gzip stream of a block many times over, made without holding it."""
    packer = zlib.compressobj(1, wbits=31)
    return b"".join([packer.compress(head), *(packer.compress(block) for _ in range(times)), packer.flush()])


def header(name: str, kind: bytes, size: int) -> bytes:
    info = special(name, kind)
    info.size = size
    return info.tobuf(tarfile.GNU_FORMAT)


def gzip_bomb() -> bytes:
    return zipped(b"", b"\0" * (1 << 20), 2000)


def pax_bomb() -> bytes:
    return zipped(header("x", tarfile.XHDTYPE, 8 << 30), b"99 path=aaaa\n" * 80_000, 600)


def long_name_bomb() -> bytes:
    return zipped(header("././@LongLink", tarfile.GNUTYPE_LONGNAME, 600 << 20), b"a" * (1 << 20), 600)


def member_bomb() -> bytes:
    return zipped(header(f"{BINARY}/data_batch_1.bin", tarfile.REGTYPE, 700 << 20), b"a" * (1 << 20), 700)


def pax_chain() -> bytes:
    return zipped(b"", header("x", tarfile.XHDTYPE, 0), 100_000)


def sparse_chain() -> bytes:
    head = bytearray(header("a", tarfile.GNUTYPE_SPARSE, 0))
    head[482] = 1  # more sparse headers follow
    head[148:156] = b" " * 8
    head[148:156] = b"%06o\0 " % sum(head)
    return zipped(bytes(head), (b"%011o\0" % 1) * 42 + b"\1" + b"\0" * 7, 400_000)


def passed_over_bomb() -> bytes:
    return zipped(b"", header("readme.html", tarfile.REGTYPE, 60 << 20) + b"\0" * (60 << 20), 20)


@pytest.mark.parametrize(
    "bomb", [gzip_bomb, pax_bomb, long_name_bomb, member_bomb, pax_chain, sparse_chain, passed_over_bomb]
)
def test_bombs_are_refused_in_little_memory(tmp_path: Path, bomb: Callable[[], bytes]) -> None:
    archive = tmp_path / "bomb.tar.gz"
    archive.write_bytes(bomb())
    limit = (
        "import resource, runpy; "
        "resource.setrlimit(resource.RLIMIT_DATA, (400 << 20, 400 << 20)); "
        "runpy.run_module('dawn.arrays', run_name='__main__')"
    )
    command = [sys.executable, "-c", limit, "--archive", archive, "--layout", "binary", "--out", tmp_path / "out"]
    began = time.monotonic()
    done = subprocess.run(command, capture_output=True, text=True, env=os.environ | {"OPENBLAS_NUM_THREADS": "1"})
    assert time.monotonic() - began < 20
    assert done.returncode == 1
    assert done.stderr.count("\n") == 1 and "bomb.tar.gz: " in done.stderr, done.stderr
    assert not (tmp_path / "out").exists()


def test_too_many_members(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tar, "MEMBERS", 50)
    members = [(f"{k}/readme.html", b"x") for k in range(60)]
    assert "more than 50 members" in refused(tmp_path, "binary", [*members, *archives.binary(SAMPLE)])


def test_the_command_line_says_one_line(tmp_path: Path) -> None:
    archive = archives.archive(tmp_path / "a.tar.gz", archives.binary(SAMPLE)[1:])
    command = [sys.executable, "-m", "dawn.arrays", "--archive", archive, "--layout", "binary", "--out", tmp_path / "o"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith("dawn.arrays: a.tar.gz: has no cifar-10-batches-bin/data_batch_1.bin")
