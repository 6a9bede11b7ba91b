"""``dawn.plot`` for a GAN: its losses, and the figures of its samples. The images are those of the first seed."""

from collections.abc import Callable, Sequence
from pathlib import Path

from matplotlib.figure import Figure

from dawn.config.experiment import Experiment
from dawn.results.curve import read_curve
from dawn.tasks.gan.curve import GanMetrics
from dawn.tasks.gan.figures import losses
from dawn.tasks.generative import plot as samples


def figures(seeds: Sequence[Path], experiment: Experiment, data: Path) -> dict[str, Callable[[], Figure]]:
    """A function that draws each figure, by its name."""
    gan = experiment.gan
    curves = [read_curve(seed / "curve.tsv", GanMetrics) for seed in seeds]
    drawn = samples.figures(seeds, experiment.seeds[0], data, gan.samples_every, gan.conditional)
    return {"gan-losses": lambda: losses(curves, gan.loss), **{f"gan-{name}": draw for name, draw in drawn.items()}}
