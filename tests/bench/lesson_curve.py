"""Draw the curve of a training next to that of the lesson's author, docs/measurements/lesson-author.tsv.

    python tests/bench/lesson_curve.py --out curve.png results/seed-0/curve.tsv results/seed-1/curve.tsv

His training loss is a running mean at the end of an epoch, ours the mean over the epoch. His epochs count from 0, as in
his file; both are drawn at the number of epochs that were trained.
"""

import argparse
import csv
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from dawn.core.cli import InputError
from dawn.report.style import COLOURS, INK, figure, heading, save
from dawn.results.curve import Values, read_columns

AUTHOR = Path(__file__).resolve().parents[2] / "docs/measurements/lesson-author.tsv"
PANELS = {"train_loss": "training loss", "accuracy": "test accuracy, %"}


def author() -> list[Values]:
    """The points of the author's curve, at the number of epochs trained."""
    with AUTHOR.open(newline="") as file:
        rows = [
            {name: float(cell) if cell else None for name, cell in row.items()}
            for row in csv.DictReader(file, delimiter="\t")
        ]
    return [row | {"epoch": (row["epoch"] or 0) + 1} for row in rows]


def points(rows: Sequence[Values], column: str) -> tuple[list[float], list[float]]:
    """Epochs and values of the rows that have one."""
    found = [(row["epoch"], row[column]) for row in rows if row[column] is not None]
    return [float(epoch or 0) for epoch, _ in found], [float(value or 0) for _, value in found]


def draw(curves: Mapping[str, Sequence[Values]]) -> Figure:
    """Loss and accuracy by epoch; ``curves`` are those of trainings, by name."""
    picture = figure(9, 4.4)
    for axes, (column, label) in zip(picture.subplots(1, 2), PANELS.items(), strict=True):
        axes.plot(*points(author(), column), "o", color=INK, label="the author")
        for number, (name, rows) in enumerate(curves.items()):
            axes.plot(*points(rows, column), color=COLOURS[number % len(COLOURS)], label=name)
        axes.set(xlabel="epochs", ylabel=label)
    axes.legend(fontsize=9)
    heading(picture, "The lesson and its author's curve", "" if curves else "Not yet measured here.")
    return picture


def main() -> None:
    """Read the curves and draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("curves", type=Path, nargs="*", help="curve.tsv of trainings (none: the author's alone)")
    parser.add_argument("--out", type=Path, required=True, help="the figure; in the format of its suffix")
    args = parser.parse_args()
    if not args.curves:
        print("not yet measured: no curve.tsv is given, so the author's points are drawn alone")
    try:
        save(draw({str(path.parent.name or path.stem): read_columns(path) for path in args.curves}), args.out)
    except (InputError, OSError) as error:
        sys.exit(f"lesson_curve.py: {error}")


if __name__ == "__main__":
    main()
