"""Ways to damage the files of a result, and commands that run in this process on what is left."""

import io
import json
import os
import random
import struct
import sys
import warnings
import zipfile
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

import numpy as np

from dawn.core import cli

VALUES = (None, True, -1, 0, 2.5, 10**40, 1e308, "x", "", [], {}, [[]], {"x": 1}, "\ud800")
TEXTS = (
    b"", b"null", b"[]", b"{}", b"1", b'"x"', b"\x00\xff\xfe", b"[" * 100_000, b'{"a":' * 100_000, b"\xef\xbb\xbf{}",
    b"NaN", b'{"seed": 0, "seed": 1}',
)  # fmt: skip


class Damage(NamedTuple):
    """What is done to a file: in words, and as a function of its content."""

    name: str
    change: Callable[[bytes], bytes]


class Ended(NamedTuple):
    """How a command ended: 0 or another code, and what it printed to stderr, its last line included."""

    code: int
    said: str


def run(command: str, *arguments: object) -> Ended:
    """Run ``python -m dawn.COMMAND`` in this process; an exception that the command does not expect is raised."""
    module, out, err = import_module(f"dawn.{command}"), io.StringIO(), io.StringIO()
    with (
        patch.object(sys, "argv", [command, *map(str, arguments)]), redirect_stdout(out), redirect_stderr(err),
        warnings.catch_warnings(),
    ):  # fmt: skip
        warnings.simplefilter("ignore")
        try:
            cli.run(module.main)
        except SystemExit as end:
            if isinstance(end.code, int) or end.code is None:
                return Ended(end.code or 0, err.getvalue())
            return Ended(1, f"{err.getvalue()}{end.code}\n")
    return Ended(0, err.getvalue())


def places(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The place of each part of nested lists and dictionaries: a dozen keys, the ends of a list."""
    yield at
    if isinstance(value, dict):
        keys = list(value)[:: max(1, len(value) // 12)]
    else:
        keys = sorted({0, len(value) - 1}) if isinstance(value, list) and value else []
    for key in keys:
        yield from places(value[key], (*at, key))


def put(value: Any, at: tuple[Any, ...], new: Any) -> Any:
    """A copy of nested values with another one at a place; without that place if ``new`` is ``Ellipsis``."""
    if not at:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    if len(at) == 1 and new is ...:
        del copy[at[0]]
    else:
        copy[at[0]] = put(value[at[0]], at[1:], new)
    return copy


def of_json(content: bytes) -> Iterator[Damage]:
    """Each part is deleted, replaced by values of other types, or put twice into its list or dictionary."""
    value = json.loads(content)
    for at in places(value):
        name = ".".join(map(str, at))
        if at:
            yield Damage(f"{name} deleted", lambda _, at=at: dumped(put(value, at, ...)))
            for new in VALUES:
                yield Damage(f"{name} = {new!r}", lambda _, at=at, new=new: dumped(put(value, at, new)))
            yield Damage(f"{name} = NaN", lambda _, at=at: dumped(put(value, at, float("nan"))))
            yield Damage(f"{name} = Infinity", lambda _, at=at: dumped(put(value, at, float("inf"))))
    yield Damage("a key twice", lambda content: content.rstrip()[:-1] + b"," + content.lstrip()[1:])


def dumped(value: Any) -> bytes:
    """JSON, with NaN and infinity as Python writes them."""
    return json.dumps(value).encode("utf-8", "surrogatepass")


def of_any(content: bytes) -> Iterator[Damage]:
    """Damage to a file of any kind."""
    for text in TEXTS:
        yield Damage(f"content {text[:12]!r} ({len(text)})", lambda _, text=text: text)
    for part in (0.1, 0.5, 0.9):
        yield Damage(f"cut at {part}", lambda content, part=part: content[: int(part * len(content))])
    rng = random.Random(0)
    for _ in range(4):
        place, bit = rng.randrange(len(content)), rng.randrange(8)
        yield Damage(
            f"bit {bit} of byte {place}", lambda c, p=place, b=bit: c[:p] + bytes([c[p] ^ 1 << b]) + c[p + 1 :]
        )
    yield Damage("twice", lambda content: content * 2)
    yield Damage("another byte at its end", lambda content: content + b"\x00")


def of_table(content: bytes) -> Iterator[Damage]:
    """Cells, rows and columns of a table are changed."""
    for cell in ("", "nan", "inf", "-1", "1e400", "x", '"', "\t", ",", "\r", "9" * 5000, "x" * 200_000):
        for row, column in ((0, 0), (1, 0), (-1, -1)):
            yield Damage(f"cell {row}, {column} = {cell[:9]!r}", lambda c, a=(row, column, cell): with_cell(c, *a))
    lines = content.splitlines(keepends=True)
    yield Damage("no rows", lambda _: lines[0])
    yield Damage("no head", lambda _: b"".join(lines[1:]))
    yield Damage("a row less", lambda _: b"".join(lines[:-1]))
    yield Damage("an empty row", lambda content: content + b"\n")
    yield Damage("no first column", lambda _: b"".join(line.replace(b",", b"\t").partition(b"\t")[2] for line in lines))


def with_cell(content: bytes, row: int, column: int, cell: str) -> bytes:
    """A table with another text in a cell."""
    separator = "\t" if b"\t" in content else ","
    rows = [line.split(separator) for line in content.decode().splitlines()]
    rows[row][column] = cell
    return "\n".join(separator.join(cells) for cells in rows).encode() + b"\n"


def of_array(content: bytes) -> Iterator[Damage]:
    """An array of other values, types and shapes, and headers that say more than there is."""
    array = np.load(io.BytesIO(content))
    for name, other in arrays(array).items():
        yield Damage(name, lambda _, other=other: saved(other))
    for shape in ((2**31,), (2**62, 4), (-1, 3), (1, *array.shape), (2**80,)):
        yield Damage(f"header of {shape}", lambda _, shape=shape: header(array.dtype.str, shape) + b"\x00" * 64)
    yield Damage("header of an object", lambda _: header("|O", (1,)) + b"\x80\x04N.")
    yield Damage("header of code", lambda _: header("__import__('os')", array.shape))
    yield Damage("long header", lambda _: b"\x93NUMPY\x02\x00" + struct.pack("<I", 2**31) + b" " * 99)
    yield Damage("a zip", lambda _: zipped({"x": array}))


def arrays(array: np.ndarray) -> dict[str, np.ndarray]:
    """Other arrays in place of this one."""
    if array.dtype.kind == "U":
        return {"empty": array[:0], "one less": array[:-1], "numbers": np.arange(len(array)), "flat": array[None]}
    found = {
        "empty": array[:0], "one less": array[:-1], "one more": np.concatenate([array, array[:1]]),
        "flat": array.reshape(-1), "one side more": array[None], "transposed": array.T,
        "complex": array.astype(complex),
        "text": array.astype("U4"), "bool": array.astype(bool), "int64, negative": -array.astype(np.int64) - 1,
        "float64": array.astype(float), "int64, large": array.astype(np.int64) + 2**40, "dates": array.astype("M8[s]"),
        "zero sides": np.zeros((0,) * array.ndim, array.dtype), "records": np.zeros(array.shape, "u1,u2"),
        "no sides": array.reshape(-1)[0],
    }  # fmt: skip
    nan = array.astype(np.float32)
    nan.flat[0] = np.nan
    return found | {"NaN": nan, "infinity": np.full(array.shape, np.inf, np.float32), "large": nan * 0 + 3e38}


def saved(array: np.ndarray) -> bytes:
    """The content of a .npy file."""
    file = io.BytesIO()
    np.save(file, array)
    return file.getvalue()


def header(kind: str, shape: tuple[int, ...]) -> bytes:
    """The header of a .npy file."""
    text = f"{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n".encode()
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def zipped(members: dict[str, Any]) -> bytes:
    """The content of an .npz file of arrays, or of the bytes of its members."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, array in members.items():
            archive.writestr(f"{name}.npy", array if isinstance(array, bytes) else saved(array))
    return file.getvalue()


def of_archive(content: bytes) -> Iterator[Damage]:
    """One array of an .npz file is another, or missing; bombs; a password; an unknown compression."""
    with np.load(io.BytesIO(content)) as file:
        whole = dict(file)
    for name, array in whole.items():
        others = {key: value for key, value in whole.items() if key != name}
        yield Damage(f"no {name}", lambda _, others=others: zipped(others))
        for which, other in arrays(array).items():
            yield Damage(f"{name} {which}", lambda _, a=(others, name, other): zipped(a[0] | {a[1]: a[2]}))
        for rows in (2**31, 2**62):
            bomb = header("<f4", (rows, 4)) + b"\x00" * 200_000_000 if rows == 2**31 else header("<f4", (rows, 4))
            yield Damage(f"{name} of {rows} rows", lambda _, a=(others, name, bomb): zipped(a[0] | {a[1]: a[2]}))
    for offset, value, words in ((8, 1, "a password"), (10, 99, "an unknown compression")):
        yield Damage(words, lambda _, a=(offset, value): with_flag(zipped(whole), *a))


def with_flag(content: bytes, offset: int, value: int) -> bytes:
    """A zip file with another 16-bit number in the headers of its first member, central and local."""
    found, central = bytearray(content), content.index(b"PK\x01\x02")
    struct.pack_into("<H", found, central + offset, value)
    struct.pack_into("<H", found, offset - 2, value)
    return bytes(found)


def of_weights(content: bytes) -> Iterator[Damage]:
    """The header of a safetensors file, what it says of tensors and of the experiment, and the tensors."""
    (length,) = struct.unpack("<Q", content[:8])
    about, data = json.loads(content[8 : 8 + length]), content[8 + length :]
    inner = json.loads(about["__metadata__"]["dawn"])

    def packed(values: Any, data: bytes = data) -> bytes:
        text = values if isinstance(values, bytes) else dumped(values)
        return struct.pack("<Q", len(text)) + text + data

    for size in (0, 1, 2**31, 2**40, 2**63, 2**64 - 1):
        yield Damage(f"header of {size} bytes", lambda content, size=size: struct.pack("<Q", size) + content[8:])
    for damage in (*of_any(dumped(inner)), *of_json(dumped(inner))):
        text = damage.change(dumped(inner)).decode("utf-8", "surrogatepass" if b"\\ud" in dumped(inner) else "replace")
        yield Damage(f"dawn: {damage.name}", lambda _, t=text: packed(about | {"__metadata__": {"dawn": t}}))
    for key in ("__metadata__", list(about)[-1]):
        for damage in of_json(dumped({key: about[key]})):
            if not damage.name.startswith("a key"):
                changed = json.loads(damage.change(b""))
                rest = {name: value for name, value in about.items() if name != key}
                yield Damage(f"header: {damage.name}", lambda _, v=rest | changed: packed(v))
    yield Damage("all NaN", lambda _: packed(about, b"\xff" * len(data)))
    last = list(about)[-1]
    for kind in ("I32", "U32", "BF16", "F8_E4M3", "F64", "BOOL", "C64"):
        yield Damage(f"{last} is {kind}", lambda _, k=kind: packed(about | {last: about[last] | {"dtype": k}}))


KINDS = {".json": of_json, ".tsv": of_table, ".csv": of_table, ".npy": of_array, ".npz": of_archive,
         ".safetensors": of_weights}  # fmt: skip


def damages(path: Path) -> list[Damage]:
    """All ways to damage a file."""
    content = path.read_bytes()
    return [*of_any(content), *KINDS[path.suffix](content)]


def specials(path: Path) -> Iterator[tuple[str, Callable[[], object]]]:
    """What may be in place of a file."""
    yield "nothing", lambda: None
    yield "a folder", path.mkdir
    yield "a dangling link", lambda: path.symlink_to("nowhere")
    yield "a named pipe", lambda: os.mkfifo(path)
    yield "/dev/zero", lambda: path.symlink_to("/dev/zero")
    if path.suffix != ".safetensors":  # the checksum of so large a file takes minutes
        yield "a sparse file of 1 GB", lambda: path.touch() or os.truncate(path, 1 << 30)
