"""The learning curve of one training, curve.tsv: a row an epoch. Imports no torch.

The columns are the fields of the task's dataclass, such as EpochMetrics in dawn/tasks/classify/curve.py.
"""

import statistics
from collections.abc import Iterable
from dataclasses import astuple, fields
from pathlib import Path
from typing import Any, TypeVar, get_args, get_type_hints

from dawn.core.cli import InputError, quoted
from dawn.core.files import write_table
from dawn.core.reading import LARGEST, read_text

R = TypeVar("R")
ALWAYS = ("epoch", "seconds")  # columns of every curve
Values = dict[str, float | None]  # of a row, by column


def write_curve(path: Path, curve: Iterable[Any]) -> None:
    """Write the rows of a curve, atomically; None is an empty cell."""
    rows = list(curve)
    write_table(path, [field.name for field in fields(rows[0])], map(astuple, rows))


def read_curve(path: Path, row: type[R]) -> list[R]:
    """The rows of a curve.tsv as instances of the dataclass ``row``; an InputError if it is another curve."""
    types = get_type_hints(row)
    columns, lines = _cells(path)
    try:
        if columns != list(types):
            raise ValueError(f"{len(lines)} rows of {' '.join(columns)[:80]!r}")
        return [row(*map(_value, cells, types.values())) for cells in lines]
    except ValueError as error:
        raise _not_a_curve(path, error) from error


def read_columns(path: Path, *needed: str) -> list[Values]:
    """The rows of the curve of any task, each by column; None where a column has no value in an epoch.

    Every row has ``ALWAYS``; the columns ``needed`` are there, with or without values.
    """
    columns, lines = _cells(path)
    try:
        rows = [dict(zip(columns, (_value(cell, float | None) for cell in cells), strict=True)) for cells in lines]
    except ValueError as error:
        raise _not_a_curve(path, error) from error
    if missing := [name for name in (*ALWAYS, *needed) if name not in columns]:
        raise _not_a_curve(path, f"it has no column {missing[0]}")
    if any(row[name] is None for row in rows for name in ALWAYS):
        raise _not_a_curve(path, f"a row has no {' or '.join(ALWAYS)}")
    return rows


def _cells(path: Path) -> tuple[list[str], list[list[str]]]:
    """The head of a table, and its other lines."""
    head, *lines = read_text(path).splitlines() or [""]
    columns = head.split("\t")
    if not lines or any(line.count("\t") != len(columns) - 1 for line in lines):
        raise _not_a_curve(path, f"{len(lines)} rows of {head[:80]!r}")
    return columns, [line.split("\t") for line in lines]


def _not_a_curve(path: Path, reason: object) -> InputError:
    return InputError(f"{path} is not the curve of a training ({reason}); delete it and train again")


def _value(cell: str, kind: Any) -> Any:
    """The value of a cell, which may be empty where the type has None."""
    if not cell and type(None) in get_args(kind):
        return None
    value = float(cell)
    if not abs(value) <= LARGEST or (kind is int and value != int(value)):
        raise ValueError(f"the value {quoted(cell, 20)}")
    return int(value) if kind is int else value


def mean_curve(paths: Iterable[Path]) -> list[Values]:
    """The mean over the seeds of each column, a row an epoch; None where an epoch was not monitored."""
    curves = {path: read_columns(path) for path in paths}
    (first, rows), *others = curves.items()
    for path, other in others:
        if (len(other), other[0].keys()) != (len(rows), rows[0].keys()):
            raise InputError(f"{path} has other epochs or columns than {first}; delete it and train again")
    epochs = zip(*curves.values(), strict=True)
    return [{name: mean([row[name] for row in epoch]) for name in rows[0]} for epoch in epochs]


def mean(values: list[float | None]) -> float | None:
    """The mean of those that are numbers; None if there are none."""
    known = [value for value in values if value is not None]
    return statistics.fmean(known) if known else None


def at_epochs(rows: list[R], every: int) -> list[R]:
    """The epochs at whose ends samples are kept: each ``every``-th, and the last."""
    return [row for number, row in enumerate(rows, 1) if number % every == 0 or number == len(rows)]


def at_target(curve: Iterable[Values], target: float) -> Values | None:
    """Time to target: the first epoch whose monitored accuracy is at least ``target`` percent; None if there is none.

    Its ``seconds`` and ``epoch`` are the time. Accuracy is measured at the ends of epochs only.
    """
    return next((row for row in curve if (accuracy := row["accuracy"]) is not None and accuracy >= target), None)


def number(row: Values, column: str) -> float:
    """A value of a row of a curve that has one."""
    value = row[column]
    assert value is not None
    return value
