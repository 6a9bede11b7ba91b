"""Pickled batches of images and labels, read by an unpickler that runs nothing."""

import math
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dawn.core.cli import InputError, quoted
from dawn.data.archive.batches import Batch
from dawn.data.archive.contents import VALUES, class_names
from dawn.data.archive.unpickle import Call, unpickled


def load(data: bytes, where: str) -> dict[str, Any]:
    """The dictionary of a pickle, its keys as text; InputError on anything that no CIFAR-10 pickle needs."""
    try:
        value = unpickled(data)
    except InputError as error:
        raise InputError(f"{where}: the pickle {error}; use the original archive") from error
    except Exception as error:  # a damaged pickle raises whatever it leads the unpickler to
        raise InputError(f"{where}: the pickle is damaged ({quoted(error)}); download the archive again") from error
    if not isinstance(value, dict):
        raise InputError(f"{where}: the pickle holds a {type(value).__name__}, a dictionary is expected")
    return {text(key): entry for key, entry in value.items() if isinstance(key, str | bytes)}


def names_of(data: bytes, where: str, key: str = "label_names") -> tuple[str, ...]:
    """The class names of batches.meta; InputError if they are not a list of strings."""
    names = load(data, where).get(key)
    if not isinstance(names, list) or not all(isinstance(name, str | bytes) for name in names):
        raise InputError(f"{where}: has no list of strings '{key}'")
    return class_names(names, where)


def batch(member: bytes, where: str, key: str = "labels") -> Batch:
    """The images and labels of one batch; InputError unless there is one row of 3072 bytes for each label."""
    content = load(member, where)
    data, labels = array(content.get("data"), f"{where}: 'data'"), integers(content.get(key), where)
    if data.dtype != np.uint8 or data.ndim != 2 or data.shape[1] != VALUES:
        raise InputError(f"{where}: 'data' is {data.dtype} {data.shape}, uint8 (n, {VALUES}) is expected")
    if len(labels) != len(data):
        raise InputError(f"{where}: has {len(data)} images and {len(labels)} labels, as many are expected")
    if len(labels) and not 0 <= labels.min() <= labels.max() <= 255:
        raise InputError(f"{where}: labels from {labels.min()} to {labels.max()}, 0 to 255 are allowed")
    return data, labels.astype(np.uint8)


def integers(labels: object, where: str) -> NDArray[Any]:
    """Labels, a list of ints or a one-dimensional integer array, as an array (n,)."""
    if isinstance(labels, list) and all(type(label) is int and abs(label) < 1 << 31 for label in labels):
        return np.array(labels, np.int64)
    if isinstance(labels, Call) and (integers := array(labels, f"{where}: 'labels'")).ndim == 1:
        return integers
    raise InputError(f"{where}: 'labels' is no list of integers")


def array(value: object, where: str) -> NDArray[Any]:
    """The integer array, in C order, that a pickle describes; InputError on anything else."""
    match value:
        case Call(name="array", args=(Call(name="ndarray"), *_), state=(int(), shape, Call() as kind, order, raw)):
            fortran = order is not False
        case Call(name="frombuffer", args=(raw, Call() as kind, shape, order)):
            fortran = order not in ("C", b"C")
        case _:
            raise InputError(f"{where} is no array")
    if fortran or not isinstance(raw, bytes | bytearray):
        raise InputError(f"{where} is in Fortran order or without its bytes; C order is expected")
    dtype = integer(kind, where)
    if not (isinstance(shape, tuple) and len(shape) in (1, 2) and all(type(n) is int for n in shape)):
        raise InputError(f"{where} has no shape of one or two dimensions")
    if not raw or min(shape) < 0 or math.prod(shape) * dtype.itemsize != len(raw):
        raise InputError(f"{where} has {len(raw)} bytes, which do not fill its shape")
    return np.frombuffer(raw, dtype).reshape(shape)


def integer(kind: Call, where: str) -> np.dtype[Any]:
    """The integer dtype that a pickle describes."""
    match kind:
        case Call(name="dtype", args=(str() | bytes() as code, *_), state=(int(), str() | bytes() as order, *_)):
            dtype = text(order) + text(code)
        case _:
            raise InputError(f"{where} has no dtype")
    if not re.fullmatch("[<>|=][iu][1248]", dtype):
        raise InputError(f"{where} has dtype {quoted(dtype)}, integers are expected")
    return np.dtype(dtype)


def text(value: str | bytes) -> str:
    """A string, which Python 2 wrote as bytes."""
    return value.decode("latin-1") if isinstance(value, bytes) else value
