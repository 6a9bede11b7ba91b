"""``dawn.plot`` for a CycleGAN: its translations and its losses. The images are those of the first seed."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.config.experiment import Experiment
from dawn.core.array_file import IMAGES, SERIES, load_array
from dawn.core.reading import read_json
from dawn.results.curve import at_epochs, read_curve
from dawn.tasks.cycle.curve import CycleMetrics
from dawn.tasks.cycle.figures import FromJudges, losses, side_by_side
from dawn.tasks.cycle.records import Evaluation
from dawn.tasks.cycle.settings import TESTS
from dawn.tasks.generative.figures.grids import along_training

ROWS = 12  # images of each domain


def translations(seed: Path, data: Path, paired: bool) -> list[tuple[str, NDArray[Any]]]:
    """For each direction its name, and images (rows, 3 or 4, h, w, 3): source, translation, cycle, and the truth."""
    names, shown = read_json(seed / "evaluation.json", Evaluation)["names"], []
    tests = [load_array(data / f"{name}.npy", IMAGES)[:ROWS] for name in TESTS]
    for source, truth, there, back, (one, other) in (
        (tests[0], tests[1], "in_b", "back_a", names), (tests[1], tests[0], "in_a", "back_b", names[::-1])
    ):  # fmt: skip
        columns = [source, *(load_array(seed / f"{name}.npy", IMAGES)[:ROWS] for name in (there, back))]
        shown.append((f"{one} to {other}", np.stack([*columns, *([truth] if paired else [])], axis=1)))
    return shown


def of_judges(seeds: Sequence[Path], epochs: Sequence[float]) -> list[list[FromJudges]]:
    """Return the judges' measures of the translations kept at these epochs, by seed; empty without judges."""
    progress = [read_json(seed / "evaluation.json", Evaluation).get("progress", []) for seed in seeds]
    return [[FromJudges(epoch, **row) for epoch, row in zip(epochs, rows, strict=True)] for rows in progress if rows]


def figures(seeds: Sequence[Path], experiment: Experiment, data: Path) -> dict[str, Callable[[], Figure]]:
    """A function that draws each figure, by its name."""
    curves = [read_curve(seed / "curve.tsv", CycleMetrics) for seed in seeds]
    every, first = experiment.cycle.samples_every, f"seed {experiment.seeds[0]}"
    epochs = [row.epoch for row in at_epochs(curves[0], every)]
    progress = load_array(seeds[0] / "progress.npy", SERIES)
    half = progress.shape[1] // 2
    shown = np.concatenate([progress[:, : min(8, half)], progress[:, half : half + 8]], axis=1)
    return {
        "cycle-images": lambda: side_by_side(
            translations(seeds[0], data, experiment.domains.paired), f"Test images, {first}"
        ),
        "cycle-progress": lambda: along_training(
            shown, epochs, f"Translations along the training, {first}",
            "Each column is one test image: on the left those of A in B, on the right those of B in A.",
        ),
        "cycle-curves": lambda: losses(curves, of_judges(seeds, epochs)),
    }  # fmt: skip
