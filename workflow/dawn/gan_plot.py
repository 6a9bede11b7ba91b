"""Draw the results of a GAN: its training, its samples, its measures.

    python -m dawn.gan_plot --params results/params.yaml --data data --out results/plots results/seed-0 ...

Writes losses, samples, progress, interpolation, neighbours, spectrum, measures and kid, each a PNG named gan-*. Only
reads files, which the manifests of the seeds verify: no network runs, and torch is not imported. The images are those
of the first seed.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.config.experiment import Experiment, load
from dawn.core import cli
from dawn.core.files import read_json
from dawn.measures.checkerboard import spectra
from dawn.report.figures import gan_grids
from dawn.report.figures.gan_curves import losses
from dawn.report.figures.over_training import over_training
from dawn.report.figures.references import references
from dawn.report.figures.spectrum import log_power, spectrum
from dawn.report.gan_measures import over_judges, panels, reference
from dawn.report.style import save
from dawn.results.gan_curve import GanMetrics, read_gan_curve
from dawn.results.manifest import verify

NEIGHBOURS = 10  # rows of samples next to their nearest train images
ON_CURVE = ("real images", "blurred train", "noise")  # references of the measure along the training
Images = NDArray[np.uint8]


def read(path: Path) -> NDArray[Any]:
    """An array, not loaded before it is used."""
    try:
        array: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except ValueError as error:
        raise cli.InputError(f"{path} is not a whole .npy array ({error}); delete it to have it made again") from error
    return array


def kept(curve: Sequence[GanMetrics], every: int) -> list[GanMetrics]:
    """The epochs at whose ends samples are kept: each ``every``-th, and the last."""
    return [row for i, row in enumerate(curve, 1) if i % every == 0 or i == len(curve)]


def draw_neighbours(samples: Images, train: Images, evaluation: Mapping[str, Any], title: str) -> Figure:
    """The first samples, and those most like a single train image, each next to its nearest train images."""
    rows = min(NEIGHBOURS, len(samples))
    numbers, near, ratios = (
        [value for which in ("nearest_of_first", "nearest") for value in evaluation[which][name][:rows]]
        for name in ("samples", "train", "ratio")
    )
    nearest = np.stack([train[several] for several in near])
    return gan_grids.next_to_train(samples[numbers], nearest, numbers, ratios, title)


def draw_spectrum(samples: Sequence[Images], real: Images) -> Figure:
    """Spectra of all seeds' samples and of the test images."""
    maps = log_power(real), np.mean([log_power(images) for images in samples], axis=0)
    profiles = {}
    for name, axis in (("horizontal", 2), ("vertical", 1)):
        own, *others = (10 * np.log10(spectra(images, axis).mean(0) + 1) for images in (real, *samples))
        profiles[name] = own, np.stack(others)
    return spectrum(maps, profiles, "Spectrum of samples and of test images")


def draw_along(evaluations: Sequence[Mapping[str, Any]], epochs: Sequence[Sequence[GanMetrics]], count: int) -> Figure:
    """KID-judge of the samples kept along the training."""
    seeds = [[(row.epoch, row.seconds, entry) for row, entry in zip(rows, evaluation["progress"], strict=True)]
             for rows, evaluation in zip(epochs, evaluations, strict=True)]  # fmt: skip
    known = reference(evaluations, "kid")
    return over_training(seeds, count, {name: known[name] for name in ON_CURVE if name in known})


def figures(seeds: Sequence[Path], experiment: Experiment, data: Path) -> dict[str, Callable[[], Figure]]:
    """A function that draws each figure, by its name."""
    gan, classes = experiment.gan, read_json(data / "dataset.json")["classes"]
    evaluations = [read_json(seed / "evaluation.json") for seed in seeds]
    trained = [read_gan_curve(seed / "curve.tsv") for seed in seeds]
    epochs = [kept(curve, gan.samples_every) for curve in trained]
    samples = [read(seed / "samples.npy") for seed in seeds]
    progress, between = (read(seeds[0] / f"{name}.npy") for name in ("progress", "interpolation"))
    labels, real = read(seeds[0] / "sample_labels.npy"), read(data / "test_images.npy")
    whose = "that was asked for" if gan.conditional else "that the first judge sees"
    of_first = f"seed {experiment.seeds[0]}"
    return {
        "losses": lambda: losses(trained, gan.loss),
        "samples": lambda: gan_grids.by_class(samples[0], labels, classes, whose, f"Samples by class, {of_first}"),
        "progress": lambda: gan_grids.along_training(
            progress, [row.epoch for row in epochs[0]], f"Samples along the training, {of_first}"
        ),
        "interpolation": lambda: gan_grids.between_latents(between, f"Between latent vectors, {of_first}"),
        "neighbours": lambda: draw_neighbours(
            samples[0], read(data / "train_images.npy"), evaluations[0], f"Nearest train images, {of_first}"
        ),
        "spectrum": lambda: draw_spectrum(samples, real),
        "measures": lambda: references(panels(evaluations), over_judges(evaluations[0])),
        "kid": lambda: draw_along(evaluations, epochs, progress.shape[1]),
    }


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
        save(draw(), args.out / f"gan-{name}.png")


if __name__ == "__main__":
    cli.run(main)
