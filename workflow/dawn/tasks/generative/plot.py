"""The figures of generated images, whatever made them: samples, neighbours, spectra, measures with their references."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from dawn.config.records import Named
from dawn.core.array_file import IMAGES, LABELS, SERIES, load_array
from dawn.core.cli import InputError
from dawn.core.reading import REMEDY, read_json
from dawn.measures.checkerboard import spectra
from dawn.results.curve import at_epochs, number, read_columns
from dawn.tasks.generative.figures import grids
from dawn.tasks.generative.figures.over_training import over_training
from dawn.tasks.generative.figures.references import references
from dawn.tasks.generative.figures.spectrum import log_power, spectrum
from dawn.tasks.generative.page import over_judges, panels, reference
from dawn.tasks.generative.records import Evaluation

NEIGHBOURS = 10  # rows of samples next to their nearest train images
ON_CURVE = ("real images", "blurred train", "noise")  # references of the measure along the training
Images = NDArray[np.uint8]


class Epoch(NamedTuple):
    """An epoch at whose end samples were kept; the seconds are of training."""

    epoch: float
    seconds: float


def draw_neighbours(samples: Images, train: Images, evaluation: Mapping[str, Any], title: str) -> Figure:
    """The first samples, and those most like a single train image, each next to its nearest train images."""
    rows = min(NEIGHBOURS, len(samples))
    numbers, near, ratios = (
        [value for which in ("nearest_of_first", "nearest") for value in evaluation[which][name][:rows]]
        for name in ("samples", "train", "ratio")
    )
    nearest = np.stack([train[several] for several in near])
    return grids.next_to_train(samples[numbers], nearest, numbers, ratios, title)


def draw_spectrum(samples: Sequence[Images], real: Images) -> Figure:
    """Spectra of all seeds' samples and of the test images."""
    maps = log_power(real), np.mean([log_power(images) for images in samples], axis=0)
    profiles = {}
    for name, axis in (("horizontal", 2), ("vertical", 1)):
        of_real, *others = (10 * np.log10(spectra(images, axis).mean(0) + 1) for images in (real, *samples))
        profiles[name] = of_real, np.stack(others)
    return spectrum(maps, profiles, "Spectrum of samples and of test images")


def draw_along(evaluations: Sequence[Mapping[str, Any]], epochs: Sequence[Sequence[Epoch]], count: int) -> Figure:
    """KID-judge of the samples kept along the training."""
    seeds = [[(row.epoch, row.seconds, entry) for row, entry in zip(rows, evaluation["progress"], strict=True)]
             for rows, evaluation in zip(epochs, evaluations, strict=True)]  # fmt: skip
    known = reference(evaluations, "kid")
    return over_training(seeds, count, {name: known[name] for name in ON_CURVE if name in known})


def figures(
    seeds: Sequence[Path], number_of_first: int, data: Path, every: int, conditional: bool
) -> dict[str, Callable[[], Figure]]:
    """A function that draws each figure, by its name; samples were kept at each ``every``-th epoch."""
    classes = read_json(data / "dataset.json", Named)["classes"]
    evaluations = [read_json(seed / "evaluation.json", Evaluation) for seed in seeds]
    curves = [at_epochs(read_columns(seed / "curve.tsv"), every) for seed in seeds]
    epochs = [[Epoch(number(row, "epoch"), number(row, "seconds")) for row in curve] for curve in curves]
    samples = [load_array(seed / "samples.npy", IMAGES) for seed in seeds]
    progress, between = (load_array(seeds[0] / f"{name}.npy", SERIES) for name in ("progress", "interpolation"))
    labels = load_array(seeds[0] / "sample_labels.npy", LABELS)
    train, real = (load_array(data / f"{name}_images.npy", IMAGES) for name in ("train", "test"))
    if len(labels) != len(samples[0]) or labels.max() >= len(classes):
        raise InputError(
            f"{seeds[0]}/sample_labels.npy has not a class for each of {len(samples[0])} samples; {REMEDY}"
        )
    whose = "that was asked for" if conditional else "that the first judge sees"
    of_first = f"seed {number_of_first}"
    return {
        "samples": lambda: grids.by_class(samples[0], labels, classes, whose, f"Samples by class, {of_first}"),
        "progress": lambda: grids.along_training(
            progress, [row.epoch for row in epochs[0]], f"Samples along the training, {of_first}"
        ),
        "interpolation": lambda: grids.between_latents(between, f"Between latent vectors, {of_first}"),
        "neighbours": lambda: draw_neighbours(samples[0], train, evaluations[0], f"Nearest train images, {of_first}"),
        "spectrum": lambda: draw_spectrum(samples, real),
        "measures": lambda: references(panels(evaluations), over_judges(evaluations[0])),
        "kid": lambda: draw_along(evaluations, epochs, progress.shape[1]),
    }
