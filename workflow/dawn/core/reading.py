"""Reading files that another command wrote and a person may have edited: one line says what is wrong with a file.

``read_json`` checks a value by a type, of which the keys are those that the reader needs; further keys are kept.
"""

import csv
import io
import json
import os
from functools import cache
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, TypeAdapter, ValidationError

from dawn.core.cli import LARGEST_SEED, InputError, quoted
from dawn.core.files import QUOTED, open_plain

MOST_BYTES = 1 << 28  # of a file that is read as a whole
LARGEST = 1e30  # of a number: its square is finite
REMEDY = "delete it to have it made again"

Number = Annotated[float, Field(strict=True, ge=-LARGEST, le=LARGEST)]
Positive = Annotated[float, Field(strict=True, ge=0, le=LARGEST)]
Count = Annotated[int, Field(strict=True, ge=0, le=1 << 53)]
Seed = Annotated[int, Field(strict=True, ge=0, le=LARGEST_SEED)]
Sha256 = Annotated[str, Field(strict=True, pattern="^[0-9a-f]{64}$")]


def read_bytes(path: Path) -> bytes:
    """The bytes of a file; an InputError where it is no file, or too large to be what it is read as."""
    with open_plain(path) as file:
        if (size := os.fstat(file.fileno()).st_size) > MOST_BYTES:
            raise InputError(f"{path} has {size:,} bytes, and at most {MOST_BYTES:,} are read; {REMEDY}")
        return file.read()


def read_text(path: Path) -> str:
    """The text of a file in UTF-8."""
    return decoded(read_bytes(path), path)


def decoded(data: bytes, source: object) -> str:
    """The bytes of the file ``source`` as text."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise InputError(f"{source} is not text in UTF-8 ({error.reason}, byte {error.start}); {REMEDY}") from error


def read_json(path: Path, kind: Any = Any, remedy: str = REMEDY) -> Any:
    """The value of a JSON file, of the type ``kind``."""
    return from_json(read_bytes(path), path, kind, remedy)


def from_json(data: bytes | str, source: object, kind: Any, remedy: str = REMEDY) -> Any:
    """The value of JSON that is in the file ``source``; NaN, infinity and keys that are there twice are refused."""
    written = data if isinstance(data, str) else decoded(data, source)
    try:
        value = json.loads(written, object_pairs_hook=_distinct, parse_constant=_finite)
    except (ValueError, RecursionError) as error:
        raise InputError(f"{source} is not JSON ({error}); {remedy}") from error
    return checked(value, source, kind, remedy)


def checked(value: Any, source: object, kind: Any, remedy: str = REMEDY) -> Any:
    """The value, unchanged, which the file ``source`` has; an InputError unless it is of the type ``kind``."""
    try:
        _adapter(kind).validate_python(value)
    except ValidationError as error:
        fault, *more = error.errors(include_url=False)
        where = ".".join(str(part) for part in fault["loc"])[:80]
        others = f", and {len(more)} more faults" if more else ""
        raise InputError(f"{source}: {_said(fault, where)}{others}; {remedy}") from error
    return value


def _said(fault: Any, where: str) -> str:
    if fault["type"] == "missing":
        return f"{where} is missing"
    message = fault["msg"].removeprefix("Value error, ").replace("Input should", "it should")
    given = "" if fault["type"] == "value_error" else f" is {_short(fault['input'])}"
    return f"{where or 'the value'}{given}: {message}"


def _short(value: Any) -> str:
    try:
        return quoted(json.dumps(value), 60)
    except (TypeError, ValueError):
        return f"a {type(value).__name__}"


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    mapping = dict(pairs)
    if len(mapping) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{quoted(next(name for name in names if names.count(name) > 1))} is there twice")
    return mapping


def _finite(name: str) -> float:
    raise ValueError(f"{name} is no number of JSON")


def read_table(path: Path, separator: str = ",", columns: tuple[str, ...] = ()) -> list[dict[str, str]]:
    """The rows by column of a table of ``files.write_table``, which must have these ``columns`` if any."""
    written = read_text(path)
    try:
        lines = csv.reader(io.StringIO(written, newline=""), delimiter=separator, strict=True)
        head, *rows = [[QUOTED.sub("", cell) for cell in line] for line in lines] or [[]]
    except csv.Error as error:
        raise InputError(f"{path} is no table ({error}); {REMEDY}") from error
    if not head or (columns and tuple(head) != columns) or any(len(row) != len(head) for row in rows):
        raise InputError(f"{path} has rows of other columns than {', '.join(columns or head)}; {REMEDY}")
    return [dict(zip(head, row, strict=True)) for row in rows]
