"""The learning-rate range test: raise the learning rate step by step; see where the loss falls and where it diverges.

    python -m dawn.lr_find --params params.yaml --data data --stats data/stats.json --out results/lr_find.png

Writes the figure and, next to it, .tsv (step, lr, loss, smoothed) and .json (two suggestions for the peak of the
learning rate; null where the loss never falls by more than its noise, which a line on stderr then says).
"""

import sys
from collections.abc import Sequence
from pathlib import Path

from dawn.config.experiment import load
from dawn.core import cli
from dawn.core.files import write_json, write_table
from dawn.report.style import save
from dawn.runtime.clock import Clock
from dawn.runtime.distributed import joined
from dawn.tasks.classify.figures.range_test import range_test
from dawn.tasks.classify.lr_range_test import Point, skipped, suggest, sweep
from dawn.tasks.classify.settings import LrFind
from dawn.tasks.classify.train import set_up

NOT_FALLEN = "the loss never fell by more than its noise; raise lr_find.steps, lr_find.high or train.batch"


def write(points: Sequence[Point], settings: LrFind, out: Path) -> None:
    """Write the table, the suggestions and the figure; an InputError if the loss diverged too early."""
    if len(points) < sum(skipped(settings)) + 3:
        raise cli.InputError(
            f"the loss diverged after {len(points)} of {settings.steps} steps; lower lr_find.low ({settings.low:g})"
        )
    suggestion = suggest(points, settings)
    if suggestion["steepest"] is None:
        print(f"no learning rate is suggested: {NOT_FALLEN}", file=sys.stderr)
    write_table(out.with_suffix(".tsv"), Point._fields, points)
    write_json(out.with_suffix(".json"), suggestion)
    _, rates, losses, smoothed = zip(*points, strict=True)
    save(range_test(rates, losses, smoothed, suggestion), out)


def main() -> None:
    """Parse, train with rising learning rates, write."""
    parser = cli.parser(main)
    cli.add_inputs(parser, "params", "data", "stats")
    cli.add_out(parser, "the figure; in the format of its suffix")
    args = parser.parse_args()
    experiment = load(args.params)
    with joined(experiment.run) as world:
        clock = Clock(world.device)
        trainer = set_up(experiment, args.data, args.stats, experiment.seeds[0], None, world, clock)
        trainer.resume()
        points = sweep(trainer)
        if world.first:
            write(points, experiment.lr_find, args.out)


if __name__ == "__main__":
    cli.run(main)
