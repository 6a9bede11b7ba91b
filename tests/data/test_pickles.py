"""Pickles that run code, take more than their size allows, or hold other than images and labels."""

import hashlib
import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import archives
import numpy as np
import pytest
from refusals import PYTHON, SAMPLE, refusal, refused, swap

from dawn import arrays
from dawn.data.archive import unpickle


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
    return b"\x80\x02c_codecs\nencode\nq\0" + text + b"q\1X\6\0\0\0latin1q\2" + b"h\0h\1h\2\x86R" * 9_999 + b"."


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
        (b"cos\nsystem\n(S'true'\ntR.", "opcode STRING"),
        (b"\x80\x02cos\nsystem\nU\x04true\x85R.", "os.system"),
        (b"\x80\x02cnumpy\nndarray\n(K\x02K\x02tR.", "a Call, a dictionary"),
        (b"\x80\x02cnumpy.core.multiarray\nscalar\n.", "multiarray.scalar"),
        (b"\x80\x02c__builtin__\neval\nU\x011\x85R.", "__builtin__.eval"),
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
        (pickle.dumps({(1, 2): 3}), "'data' is no array"),
        (archives.python2_batch(SAMPLE.train[0][:4].reshape(4, -1), [0, 1, 2, 0], b"O8"), "dtype '|O8'"),
        (GOOD.replace(b"M\0\x0c\x86", b"J\xff\xff\xff\x7f\x86"), "do not fill"),
        (GOOD + b"trailing", "left over"),
        (GOOD[:-1], "damaged"),
        (GOOD[:200], "damaged"),
        (b"\x80", "damaged"),
        (encodes_again_and_again(), "latin1"),
        (b"\x80\x02}r\xff\xff\xff\x7f.", "numbers 2147483647 things"),  # Python's memo would take 32 GiB
        (b"\x80\x02" + b"N0" * 9, "opcode POP"),
        (b"\x80\x04" + b"N" * 1_000_001 + b".", "opcodes"),
        (b"\x80\x04" + b")" + b"\x85" * 900_000 + b"}\x94h\0h\0s.", "20000 tuples"),
        (b"\x80\x04})" + b"\x85" * 19_999 + b"Ns.", "'data' is no array"),
        (b"\x80\x04\x8b" + struct.pack("<i", 1 << 20) + b"\xff" * (1 << 20) + b".", "opcode LONG4"),
        (b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x0fabc.", "damaged"),
        (b"\x80\x02T\xff\xff\xff\x7fabc.", "damaged"),
        (b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\x0fabc.", "damaged"),
        (b"\x80\x04\x95\xff\xff\xff\xff\xff\xff\xff\x7f}.", "damaged"),
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


def numpy_array(state: bytes) -> bytes:
    """A batch whose data is numpy's array with this state."""
    array = b"cnumpy.core.multiarray\n_reconstruct\ncnumpy\nndarray\nK\0\x85U\1b\x87R" + state + b"b"
    return b"\x80\x02}(U\6labels](K\0K\1eU\4data" + array + b"u."


def state(shape: bytes, dtype: bytes = b"U\2u1K\0K\1\x87RK\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\0tb") -> bytes:
    return b"(K\1" + shape + b"cnumpy\ndtype\n" + dtype.replace(b"RK", b"R(K") + b"\x89U\4abcdt"


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (numpy_array(b"N"), "no array"),
        (numpy_array(b"K\1K\2\x86"), "no array"),
        (numpy_array(state(b"N")), "no shape"),
        (numpy_array(state(b"J\xff\xff\xff\xffJ\xfc\xff\xff\xff\x86")), "do not fill"),
        (numpy_array(state(b"\x8a\x09" + b"\xff" * 8 + b"\x7fK\0\x86")), "do not fill"),
        (numpy_array(state(b"K\4\x85", b"U\2O8K\0K\1\x87RK\3U\1|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK?tb")), "O8"),
        (numpy_array(state(b"K\4\x85", b"U\2u1K\0K\1\x87RK\3U\2|ONNNtb")), "dtype"),
        (numpy_array(state(b"K\4\x85", b"](U\1au\x85RK\3U\1|tb")), "damaged"),
        (numpy_array(state(b"K\4\x85", b"U\2u1K\0K\1\x87RK\3tb")), "no dtype"),
        (numpy_array(state(b"K\4\x85")), "'data' is uint8 (4,)"),
    ],
    ids=range(10),
)
def test_arrays_of_wild_state(tmp_path: Path, data: bytes, says: str) -> None:
    assert says in refused(tmp_path, "python", swap(archives.python(SAMPLE), f"{PYTHON}/data_batch_1", data))


def test_names_keep_no_attribute_that_a_pickle_sets(tmp_path: Path) -> None:
    before = {cls: dict(vars(cls)) for cls in (unpickle.Call, unpickle.Encode, unpickle.Unpickler)}
    for name in ("_codecs\nencode", "numpy\ndtype", "numpy\nndarray"):
        for change in (b"}U\4leftJ\xff\xff\xff\x7fs", b"N}U\4leftJ\xff\xff\xff\x7fs\x86"):
            value = unpickle.unpickled(b"\x80\x02c" + name.encode() + b"\n" + change + b"b.")
            assert isinstance(value, unpickle.Call)
            assert getattr(value, "left", 0) < 100
    assert {cls: dict(vars(cls)) for cls in before} == before


@pytest.mark.parametrize("layout", archives.LAYOUTS)
def test_an_unproven_pickle_is_reported(tmp_path: Path, capsys: pytest.CaptureFixture[str], layout: str) -> None:
    archive = archives.archive(tmp_path / "a.tar.gz", archives.LAYOUTS[layout](SAMPLE))
    args = ["--source", archive, "--layout", layout, "--out", tmp_path / "out"]
    assert archives.call(arrays.main, *args) is None
    lines = [line for line in capsys.readouterr().err.splitlines() if "data.sha256 is null" in line]
    assert len(lines) == (layout == "python")
    digest = hashlib.sha256(archive.read_bytes()).hexdigest()
    assert archives.call(arrays.main, *args, "--sha256", digest) is None
    assert "null" not in capsys.readouterr().err


def test_an_archive_is_proven_before_its_pickles_are_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpickle.Unpickler, "load", lambda _: pytest.fail("read"))
    archive = archives.archive(tmp_path / "a.tar.gz", archives.python(SAMPLE))
    assert "SHA-256 is" in refusal(archive, "python", "--sha256", "0" * 64)
