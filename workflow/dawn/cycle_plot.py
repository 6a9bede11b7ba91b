"""Draw the results of a CycleGAN: its translations next to their sources, along the training, and its losses.

    python -m dawn.cycle_plot --params results/params.yaml --data data --out results/plots results/seed-0 ...

Writes cycle-images.png, cycle-progress.png and cycle-curves.png. Only reads files, which the manifests of the seeds
verify: no network runs, and torch is not imported. The images are those of the first seed.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.config.domains import TESTS
from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json
from dawn.report.figures.cycle_gan import FromJudges, losses, side_by_side
from dawn.report.figures.gan_grids import along_training
from dawn.report.style import save
from dawn.results.cycle_curve import read_cycle_curve
from dawn.results.manifest import verify

ROWS = 12  # images of each domain


def read(path: Path) -> NDArray[Any]:
    """An array, not loaded before it is used."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise cli.InputError(f"{path} is not a whole .npy array ({error}); delete it to have it made again") from error
    return array


def translations(seed: Path, data: Path, paired: bool) -> list[tuple[str, NDArray[Any]]]:
    """For each direction its name, and images (rows, 3 or 4, h, w, 3): source, translation, cycle, and the truth."""
    names, found = read_json(seed / "evaluation.json")["names"], []
    tests = [read(data / f"{name}.npy")[:ROWS] for name in TESTS]
    for source, truth, there, back, (one, other) in (
        (tests[0], tests[1], "in_b", "back_a", names), (tests[1], tests[0], "in_a", "back_b", names[::-1])
    ):  # fmt: skip
        columns = [source, read(seed / f"{there}.npy")[:ROWS], read(seed / f"{back}.npy")[:ROWS]]
        found.append((f"{one} to {other}", np.stack([*columns, *([truth] if paired else [])], axis=1)))
    return found


def of_judges(seeds: Sequence[Path], epochs: Sequence[float]) -> list[list[FromJudges]]:
    """What the judges made of the translations kept at these epochs, for each seed; empty without judges."""
    found = [read_json(seed / "evaluation.json").get("progress", []) for seed in seeds]
    return [[FromJudges(epoch, **row) for epoch, row in zip(epochs, rows, strict=True)] for rows in found if rows]


def figures(seeds: Sequence[Path], experiment: Experiment, data: Path) -> dict[str, Callable[[], Figure]]:
    """A function that draws each figure, by its name."""
    curves = [read_cycle_curve(seed / "curve.tsv") for seed in seeds]
    every, first = experiment.cycle.samples_every, f"seed {experiment.seeds[0]}"
    epochs = [row.epoch for i, row in enumerate(curves[0], 1) if i % every == 0 or i == len(curves[0])]
    progress = read(seeds[0] / "progress.npy")
    half = progress.shape[1] // 2
    shown = np.concatenate([progress[:, : min(8, half)], progress[:, half : half + 8]], axis=1)
    return {
        "images": lambda: side_by_side(
            translations(seeds[0], data, experiment.domains.paired), f"Test images, {first}"
        ),
        "progress": lambda: along_training(
            shown, epochs, f"Translations along the training, {first}",
            "Each column is one test image: on the left those of A in B, on the right those of B in A.",
        ),
        "curves": lambda: losses(curves, of_judges(seeds, epochs)),
    }  # fmt: skip


def main() -> None:
    """Parse the command line, verify the seeds and draw."""
    parser = cli.parser(main)
    cli.add_seeds(parser)
    cli.add_inputs(parser, "params", "data")
    cli.add_out(parser, "directory of the figures")
    args = parser.parse_args()
    experiment = load(args.params)
    for seed in args.seeds:
        verify(seed)
    for name, draw in figures(args.seeds, experiment, args.data).items():
        save(draw(), args.out / f"cycle-{name}.png")


if __name__ == "__main__":
    cli.run(main)
