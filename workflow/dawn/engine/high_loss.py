"""A mark on a training whose loss is far above that of a network with a constant output, which has learnt nothing.

A training that has diverged goes on where its loss remains finite, and its accuracy need not show why it is low.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

FACTOR = 1.5  # times the loss of a constant output
START = 0.1  # fraction of the training in which a high loss passes for a transient


class Constant(NamedTuple):
    """The loss of a constant output: the column of the curve that it compares with, its value, and what to change."""

    column: str
    loss: float
    remedy: str


def high_loss(curve: Sequence[Any], epochs: float, constant: Constant | None) -> dict[str, Any] | None:
    """Return the first epoch of a curve whose mean loss is far too high; None if there is none, or no scale to compare.

    Epochs that begin in the first tenth of the training do not count, unless they are the last.
    """
    if constant is None:
        return None
    for number, row in enumerate(curve):
        loss, counts = getattr(row, constant.column), number >= START * epochs or row.epoch >= epochs
        if counts and loss > FACTOR * constant.loss:
            return {"epoch": row.epoch, "loss": loss, "constant_output": constant.loss, "remedy": constant.remedy}
    return None


def described(mark: dict[str, Any]) -> str:
    """Return the mark in a line, with the remedy."""
    return (
        f"the mean loss of epoch {mark['epoch']:g} is {mark['loss']:.4g}, that of a constant output "
        f"{mark['constant_output']:.3g}: the training has diverged; {mark['remedy']}"
    )
