"""Pickles that run code, take more than their size allows, or hold other than images and labels."""

import os
import pickle
import struct
from collections.abc import Callable
from pathlib import Path

import archives
import numpy as np
import pytest
from refusals import PYTHON, SAMPLE, refused, swap


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
