"""Archives that are truncated, no archive at all, or hold members that have no place in the layout."""

import gzip
import subprocess
import sys
import tarfile
from pathlib import Path

import archives
import pytest
from archives import Member, sample
from refusals import BINARY, SAMPLE, refusal, refused, special


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


@pytest.mark.parametrize(
    ("surplus", "says"),
    [
        (b"garbage", "Not a gzipped file"),
        (b"\0" * 4096 + b"x", "Not a gzipped file"),
        (gzip.compress(b"more", mtime=0), "follows the end of the tar"),
        (gzip.compress(bytes(2 << 20), mtime=0), "follows the end of the tar"),
    ],
    ids=["garbage", "padding", "stream", "zeros"],
)
def test_bytes_after_the_gzip_stream(tmp_path: Path, surplus: bytes, says: str) -> None:
    archive = archives.archive(tmp_path / "a.tar.gz", archives.binary(SAMPLE))
    archive.write_bytes(archive.read_bytes() + surplus)
    assert says in refusal(archive, "binary")


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


def test_the_command_line_says_one_line(tmp_path: Path) -> None:
    archive = archives.archive(tmp_path / "a.tar.gz", archives.binary(SAMPLE)[1:])
    command = [sys.executable, "-m", "dawn.arrays", "--source", archive, "--layout", "binary", "--out", tmp_path / "o"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    assert done.stderr.startswith(f"dawn.arrays: {archive}: has no cifar-10-batches-bin/data_batch_1.bin")
