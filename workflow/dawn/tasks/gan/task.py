"""A GAN: what it declares of itself. Imports no torch."""

from collections.abc import Mapping
from typing import Any

from dawn.config.records import summary
from dawn.config.task import Curve, Figure, Measure, Plot, Task, arrays, check_batch
from dawn.core.cli import InputError
from dawn.tasks.gan.records import Training
from dawn.tasks.gan.settings import Gan
from dawn.tasks.generative.measures import OF_SAMPLES
from dawn.tasks.generative.records import Evaluation
from dawn.tasks.generative.settings import REFERENCES, Judge, Measures

FIGURES = (
    Figure("gan-losses", "2 Training", "losses and scores"),
    Figure("gan-progress", "2 Training", "samples along the training"),
    Figure("gan-kid", "2 Training", "KID-judge along the training"),
    Figure("gan-samples", "3 Samples", "samples by class"),
    Figure("gan-interpolation", "3 Samples", "between latent vectors"),
    Figure("gan-neighbours", "3 Samples", "nearest train images"),
    Figure("gan-measures", "4 Measures", "measures and references"),
    Figure("gan-spectrum", "4 Measures", "spectrum"),
)
PLOTS = (
    Plot(("critic_loss", "generator_loss"), "loss", "Losses"),
    Plot(("real_score", "fake_score"), "mean score of the critic", "Scores"),
)


def check(experiment: Any) -> None:
    """Raise ValueError for settings that do not fit together."""
    gan, run, size = experiment.gan, experiment.run, experiment.data.size
    if isinstance(run.processes, int) and (fault := indivisible(gan, run.processes * run.nodes)):
        raise ValueError(fault)
    if size is not None:
        check_size(size)
    if experiment.judge.preset is None:
        raise ValueError("judge.preset null: the samples of a GAN need a judge, such as preset judge")
    if experiment.measures.cas and not gan.conditional:
        raise ValueError("measures.cas trains a classifier on samples of known classes; set gan.conditional to true")


def indivisible(gan: Gan, processes: int) -> str | None:
    """Return in one line which batch so many processes cannot share equally; None if they can share both."""
    for name in ("batch", "generator_batch"):
        if (batch := getattr(gan, name)) and batch % processes:
            return f"gan.{name} {batch} is not divisible by {processes} processes"
    return None


def check_size(size: int) -> None:
    """Raise InputError unless a GAN can make images of ``size`` pixels: each of its layers doubles or halves them."""
    if size < 16 or size & (size - 1):
        raise InputError(
            f"data.size: images of {size} x {size} pixels; a GAN needs 16, 32, 64 or a larger power of two"
        )


def check_data(experiment: Any, about: Mapping[str, Any]) -> None:
    """Raise InputError for data with too few images to measure samples by, or to fill a batch.

    dawn/measures/manifold.py needs 2 (k + 2) images in each set for k neighbours. Of the sets that references.json has,
    two are halves of the test split, one is train images, and one those of the first class and their mirror images.
    """
    check_batch(experiment, about)
    k = experiment.measures.neighbours
    needed = {
        f"{about['counts']['test']} test images": (about["counts"]["test"], 4),
        f"{about['counts']['train']} train images": (about["counts"]["train"], 2),
        f"{about['class_counts']['train'][0]} train images of the first class": (about["class_counts"]["train"][0], 1),
    }
    for images, (count, times) in needed.items():
        if count < times * (k + 2):
            lower = f", or lower measures.neighbours to {count // times - 2}" if count >= times * 3 else ""
            raise InputError(
                f"measures.neighbours = {k} needs {times * (k + 2)} images, and there are {images}; add images{lower}"
            )


def measurable(measure: Measure, experiment: Any) -> str | None:
    """Why the experiment does not have the measure, or None."""
    if measure.key == "critic_gap_distance" and not experiment.data.holdout:
        return "needs held-out images; set data.holdout in settings"
    if measure.key == "cas" and not experiment.measures.cas:
        return "is not measured; set measures.cas"
    return None


OPTIONAL = (("tasks.gan.train", "kernels.winograd"),)


def modules(experiment: Any) -> tuple[tuple[str, str], ...]:
    """The kernels where they are used, after the module that imports them."""
    return OPTIONAL if experiment.gan.custom_kernels else ()


TASK = Task(
    name="gan",
    title="a GAN",
    sections={"gan": (Gan, Gan()), "judge": (Judge, Judge()), "measures": (Measures, Measures())},
    main="gan",
    networks=("gan",),
    trained_by=("data", "gan"),
    evaluated_by=("judge", "measures"),
    training_files=("curve.tsv", "model.safetensors", "progress.npy"),
    evaluation_files=("interpolation.npy", "sample_labels.npy", "samples.npy"),
    measures=OF_SAMPLES,
    training=Training,
    evaluation=Evaluation,
    summary=summary(measure.key for measure in OF_SAMPLES),
    figures=FIGURES,
    page_figures=("gan-samples", "gan-progress", "gan-measures"),
    plots=PLOTS,
    curve=Curve(None, "KID-judge of 64 samples", "KID-judge during training, lower is better"),
    data=arrays,
    evaluation_data=lambda experiment: ("stats.json",),
    check=check,
    check_data=check_data,
    needs_judges=lambda experiment: True,
    measurable=measurable,
    modules=modules,
    optional=OPTIONAL,
    rules=("generative/references.smk",),
    evaluation_rules=("cas",),
    evaluation_commands=(
        "tasks.generative.cas_images",
        "tasks.gan.sampling",
        "tasks.classify.train",
        "tasks.classify.evaluate",
        "train",
    ),
    stages=(REFERENCES,),
)
