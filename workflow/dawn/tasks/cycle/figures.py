"""Figures of a CycleGAN: sources, translations and cycles side by side, and how the losses went."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.report.numbers import count
from dawn.report.style import Row, band, figure, heading
from dawn.tasks.generative.figures.grids import grid

COLUMNS = ("source", "translation", "cycle", "truth")
LOSSES = {
    "adversarial_loss": "adversarial",
    "cycle_loss": "cycle",
    "identity_loss": "identity",
    "critic_loss": "critic",
}


def side_by_side(directions: Sequence[tuple[str, NDArray[Any]]], title: str) -> Figure:
    """Both directions next to each other; each has its name and images (rows, columns, h, w, 3) as in ``COLUMNS``."""
    names, blocks = zip(*directions, strict=True)
    rows = min(len(block) for block in blocks)
    left, right = (block[:rows] for block in blocks)
    blank = np.full((rows, 1, *left.shape[2:]), 255, np.uint8)
    heads = COLUMNS[: left.shape[1]]
    below = f"Left: {names[0]}. Right: {names[1]}. The first test images, none selected."
    return grid(np.concatenate([left, blank, right], axis=1), (), [*heads, "", *heads], title, below)


@dataclass(frozen=True)
class FromJudges:
    """The judges' measures of the translations that were kept at an epoch."""

    epoch: float
    target_accuracy: float
    kid: float


OF_JUDGES = {"target_accuracy": "target accuracy", "kid": "KID-judge"}


def losses(seeds: Sequence[Sequence[Row]], judges: Sequence[Sequence[FromJudges]] = ()) -> Figure:
    """Losses by epoch and next to them what tells how good the translations were: mean over the seeds, band of all.

    The rows have the columns of a CycleGAN's curve.tsv: PSNR where there is a truth. ``judges``: the judges' measures
    of each seed. Without either the right half says so.
    """
    picture = figure(9 if not judges else 12, 4.2)
    left, *others = picture.subplots(1, 3 if judges else 2)
    for i, (name, text) in enumerate(LOSSES.items()):
        band(left, seeds, name, text, i)
    left.set(ylabel="loss, sum of both directions", ylim=(0, None))
    left.legend(fontsize=9)
    for axes, (name, text) in zip(others, OF_JUDGES.items() if judges else (), strict=False):
        band(axes, judges, name, text, 0)
        axes.set(ylabel=f"{text} of the translations kept")
    if any(getattr(row, "psnr", None) is not None for row in seeds[0]):
        band(others[0], seeds, "psnr", "test images", 0)
        others[0].set(ylabel="PSNR of the translations, dB")
    elif not judges:
        others[0].text(0.5, 0.5, "no truth is known", ha="center", transform=others[0].transAxes)
    for axes in (left, *others):
        axes.set(xlabel="epoch")
        axes.locator_params(axis="x", integer=True)
    below = "Line: mean. Band: from the lowest seed to the highest." if len(seeds) > 1 else ""
    heading(picture, f"Losses and measures by epoch, {count(len(seeds), 'seed')}", below)
    return picture
