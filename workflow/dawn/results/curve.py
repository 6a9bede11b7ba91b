"""The learning curve of one training, curve.tsv: a row an epoch. Imports no torch."""

from collections.abc import Iterable, Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from dawn.core.cli import InputError
from dawn.core.files import write_table


@dataclass(frozen=True)
class EpochMetrics:
    """The state of a training at the end of an epoch; the fields are the columns of curve.tsv, in order.

    epoch           epochs trained so far; the last is no whole number where train.epochs is none
    train_loss      mean over the epoch's batches, augmented and while the weights move; label smoothing included
    train_accuracy  of the same, in percent
    loss            cross-entropy on the monitored split, None in an epoch that is not monitored
    accuracy        on the monitored split, in percent, None likewise
    lr, momentum    of the epoch's last step
    images_per_s    trained in the epoch
    seconds         of training since the start, without what is excluded from the clock
    """

    epoch: float
    train_loss: float
    train_accuracy: float
    loss: float | None
    accuracy: float | None
    lr: float
    momentum: float
    images_per_s: float
    seconds: float


COLUMNS = tuple(field.name for field in fields(EpochMetrics))
OPTIONAL = ("loss", "accuracy")


def write_curve(path: Path, curve: Iterable[EpochMetrics]) -> None:
    """Write curve.tsv, atomically; None is an empty cell."""
    write_table(path, COLUMNS, map(astuple, curve))


def read_curve(path: Path) -> list[EpochMetrics]:
    """The rows of a curve.tsv; an InputError if it is none."""
    head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    try:
        if head.split("\t") != list(COLUMNS) or not lines:
            raise ValueError(f"{len(lines)} rows of {head[:80]!r}")
        return [_row(line.split("\t")) for line in lines]
    except ValueError as error:
        raise InputError(f"{path} is not the curve of a training ({error}); delete it and train again") from error


def _row(cells: Sequence[str]) -> EpochMetrics:
    values = {name: float(cell) if cell or name not in OPTIONAL else None
              for name, cell in zip(COLUMNS, cells, strict=True)}  # fmt: skip
    return EpochMetrics(**values)  # type: ignore[arg-type]


def at_target(curve: Sequence[EpochMetrics], target: float) -> EpochMetrics | None:
    """Time to target: the first epoch whose monitored accuracy is at least ``target`` percent; None if there is none.

    Its ``seconds`` and ``epoch`` are the time. Accuracy is measured at the ends of epochs only.
    """
    return next((row for row in curve if row.accuracy is not None and row.accuracy >= target), None)
