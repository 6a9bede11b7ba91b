"""The learning-rate range test: raise the rate step by step; see where the loss falls fastest and where it breaks.

    python -m dawn.lr_find --params params.yaml --data data --stats data/stats.json --out results/lr_find.png

Smith, arXiv 1506.01186, with fastai's stopping rule: the smoothed loss passes ``lr_find.stop`` times its best.
Writes the picture, and beside it .tsv (step, lr, loss, smoothed) and .json (the suggested rates).
"""

import math
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, load
from dawn.config.sections import LrFind
from dawn.core import cli
from dawn.core.files import write_json, write_table
from dawn.report.figures.range_test import range_test
from dawn.report.style import save
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined, sum_over_processes
from dawn.training.schedule import Scheduled
from dawn.training.setup import set_up
from dawn.training.trainer import Trainer

Row = tuple[int, float, float, float]


def rate(step: int, settings: LrFind) -> float:
    """The rate of a step: from low to high, each step by the same factor."""
    return float(settings.low * (settings.high / settings.low) ** (step / (settings.steps - 1)))


def sweep(trainer: Trainer, experiment: Experiment) -> list[Row]:
    """Step, rate, loss and smoothed loss of each step until the rate is high or the loss breaks."""
    settings, momentum = experiment.lr_find, experiment.train.schedule.momentum[0]
    rows: list[Row] = []
    running, best = 0.0, math.inf
    for step in range(settings.steps):
        if step % trainer.trainset.steps == 0:
            epoch = step // trainer.trainset.steps
            stream = trainer.trainset.epoch(epoch, trainer.world, experiment.train.accumulate)
        multiplier = rate(step, settings) / experiment.train.schedule.peak
        totals = trainer.state.step(next(stream), Scheduled(multiplier, momentum, multiplier))
        loss = float(sum_over_processes(totals, trainer.world)[0]) / experiment.train.batch
        if not math.isfinite(loss):
            break
        running = settings.smooth * running + (1 - settings.smooth) * loss
        smoothed = running / (1 - settings.smooth ** (step + 1))
        rows.append((step, rate(step, settings), loss, smoothed))
        best = min(best, smoothed)
        if smoothed > settings.stop * best:
            break
    return rows


def suggest(rows: list[Row]) -> dict[str, float]:
    """Two rates: where the smoothed loss falls steepest against log rate, and a tenth of that of its lowest point."""
    lowest = min(range(len(rows)), key=lambda i: rows[i][3])
    slopes = {
        i: (rows[i + 1][3] - rows[i - 1][3]) / math.log(rows[i + 1][1] / rows[i - 1][1]) for i in range(1, lowest)
    }
    steepest = min(slopes, key=lambda i: slopes[i]) if slopes else lowest
    return {"steepest": rows[steepest][1], "lowest_tenth": rows[lowest][1] / 10}


def main() -> None:
    """Parse, sweep, suggest, plot."""
    parser = cli.parser(main)
    parser.add_argument("--params", type=Path, required=True, help="the experiment, YAML")
    parser.add_argument("--data", type=Path, required=True, help="directory of the arrays")
    parser.add_argument("--stats", type=Path, required=True, help="channel statistics, JSON")
    parser.add_argument("--out", type=Path, required=True, help="the picture; its suffix says its format")
    args = parser.parse_args()
    experiment = load(args.params)
    with joined() as world:
        clock = Clock(world.device)
        trainer = set_up(
            experiment, args.data, args.stats, experiment.seeds[0], args.out.parent / ".none", world, clock
        )
        trainer.resume()
        rows = sweep(trainer, experiment)
        if world.first:
            report(rows, args.out)


def report(rows: list[Row], out: Path) -> None:
    """Write table, suggestion and picture."""
    if len(rows) < 3:
        raise cli.InputError(f"the loss broke after {len(rows)} steps; lower lr_find.low")
    suggestion: dict[str, Any] = suggest(rows)
    write_table(out.with_suffix(".tsv"), ("step", "lr", "loss", "smoothed"), rows)
    write_json(out.with_suffix(".json"), suggestion)
    _, rates, losses, smoothed = zip(*rows, strict=True)
    save(range_test(rates, losses, smoothed, suggestion), out)


if __name__ == "__main__":
    cli.run(main)
