"""The curve of a GAN's training, curve.tsv: a row an epoch. Imports no torch."""

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from dawn.core.cli import InputError
from dawn.core.files import write_table


@dataclass(frozen=True)
class GanMetrics:
    """The state of a GAN at the end of an epoch; the fields are the columns of curve.tsv, in order.

    epoch            passes of the critic over the train split so far
    generator_steps  of the generator since the start
    critic_loss      mean over the critic's steps of the epoch, penalties included
    generator_loss   mean over the generator's steps of the epoch
    real_score       mean score of the real images of the epoch
    fake_score       mean score of the generated images of the epoch
    lr               learning rate of the critic in the epoch's last step
    images_per_s     real images seen by the critic in a second
    seconds          of training since the start, without what is excluded from the clock
    """

    epoch: float
    generator_steps: int
    critic_loss: float
    generator_loss: float
    real_score: float
    fake_score: float
    lr: float
    images_per_s: float
    seconds: float


COLUMNS = tuple(field.name for field in fields(GanMetrics))


def write_gan_curve(path: Path, curve: Iterable[GanMetrics]) -> None:
    """Write curve.tsv, atomically."""
    write_table(path, COLUMNS, map(astuple, curve))


def read_gan_curve(path: Path) -> list[GanMetrics]:
    """The rows of a curve.tsv; an InputError if it is none of a GAN."""
    head, *lines = path.read_text(encoding="utf-8").splitlines() or [""]
    try:
        if head.split("\t") != list(COLUMNS) or not lines:
            raise ValueError(f"{len(lines)} rows of {head[:80]!r}")
        rows = [dict(zip(COLUMNS, map(float, line.split("\t")), strict=True)) for line in lines]
    except ValueError as error:
        raise InputError(f"{path} is not the curve of a GAN ({error}); delete it and train again") from error
    return [GanMetrics(**row | {"generator_steps": int(row["generator_steps"])}) for row in rows]  # type: ignore[arg-type]
