"""The curve of a CycleGAN's training, curve.tsv: a row an epoch. Imports no torch."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from dawn.core.cli import InputError
from dawn.core.files import write_table


@dataclass(frozen=True)
class CycleMetrics:
    """The state of a CycleGAN at the end of an epoch; the fields are the columns of curve.tsv, in order.

    epoch             passes over the larger domain so far
    adversarial_loss  of the generators, a mean over the epoch; all losses are sums over both directions
    cycle_loss        mean absolute error of images translated and back; of translations in a training on pairs
    identity_loss     mean absolute error of translated images of the target
    critic_loss       of the critics
    psnr              of the first 200 test images' translations in dB, None without a truth or in an epoch between
    lr                learning rate in the epoch's last step
    images_per_s      images of each domain in a second
    seconds           of training since the start, without what is excluded from the clock
    """

    epoch: float
    adversarial_loss: float
    cycle_loss: float
    identity_loss: float
    critic_loss: float
    psnr: float | None
    lr: float
    images_per_s: float
    seconds: float


COLUMNS = tuple(field.name for field in fields(CycleMetrics))


def write_cycle_curve(path: Path, curve: Iterable[CycleMetrics]) -> None:
    """Write curve.tsv, atomically; None is an empty cell."""
    write_table(path, COLUMNS, map(astuple, curve))


def read_cycle_curve(path: Path) -> list[CycleMetrics]:
    """The rows of a curve.tsv; an InputError if it is none of a CycleGAN."""
    head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    try:
        if head.split("\t") != list(COLUMNS) or not lines:
            raise ValueError(f"{len(lines)} rows of {head[:80]!r}")
        rows = [dict(zip(COLUMNS, line.split("\t"), strict=True)) for line in lines]
        return [CycleMetrics(**{k: None if k == "psnr" and not v else float(v) for k, v in row.items()})  # type: ignore[arg-type]
                for row in rows]  # fmt: skip
    except ValueError as error:
        raise InputError(f"{path} is not the curve of a CycleGAN ({error}); delete it and train again") from error
