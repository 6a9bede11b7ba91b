"""``dawn.summary`` for a GAN: its claim, what was trained and measured, the measures, each seed."""

from dawn.report.measured import equal_seeds, figures, seeds_of
from dawn.report.numbers import described, interval
from dawn.report.page import Block, Paragraph
from dawn.results.run import Run
from dawn.tasks.generative.measures import KID
from dawn.tasks.generative.page import (
    classes_table,
    judges_list,
    mean_of,
    measures_table,
    over_seeds,
    reading,
    seeds_table,
)

FIGURES = {
    "gan-samples": "Samples by class, in the order drawn",
    "gan-progress": "Samples of the same latent vectors along the training",
    "gan-measures": "Each measure with its references",
}
LOSSES = {"wasserstein": "Wasserstein", "dcgan": "binary cross-entropy (DCGAN's)", "hinge": "hinge",
          "relativistic": "relativistic"}  # fmt: skip


def claim(run: Run) -> str:
    """The result in one line."""
    kid, one = over_seeds(run.evaluations, KID.key), len(run.seeds) == 1
    value = interval(kid, KID.digits) + " by its images" if one else described(kid, KID.digits)
    return f"{KID.name} {value} over {seeds_of(run)}"


def result(run: Run) -> list[Block]:
    """Return what was trained, what the measures mean, figures, measures, seeds, classes, judges."""
    return [
        *about(run),
        *reading(run.evaluations),
        *equal_seeds(run.seeds),
        *figures(run, FIGURES),
        *measures_table(run.evaluations),
        *seeds_table(run.evaluations, run.trainings),
        *classes_table(run.evaluations),
        *judges_list(run.evaluations),
    ]


def about(run: Run) -> list[Block]:
    """Return what was trained, and on which images it was measured."""
    gan, first, training, data = run.experiment.gan, run.evaluations[0], run.trainings[0], run.provenance["data"]
    images, judges = first["images"], first["judges"]
    sides = {net.architecture for net in (gan.generator, gan.critic)}
    kind = f"{'A class-conditional' if gan.conditional else 'An unconditional'} GAN ({' and '.join(sorted(sides))})"
    accuracy = ", ".join(f"{judge['accuracy']:.1f}" for judge in judges)
    return [
        Paragraph(
            f"{kind} with {training['parameters']:,} parameters was trained with the {LOSSES[gan.loss]} loss on "
            f"{data['counts']['train']:,} train images of {data['shape'][0]} x {data['shape'][1]} pixels in "
            f"{len(data['classes'])} classes, for {training['epochs']:g} epochs of the critic and "
            f"{training['generator_steps']:,} steps of the generator; it took "
            f"{interval(mean_of([training['seconds'] for training in run.trainings]), 0, ' s')}."
        ),
        Paragraph(
            f"{images['samples']:,} samples of each seed are compared with the {images['test']:,} images of the test "
            "split, which neither the GAN nor a judge was trained on. "
            + ("The judge is a classifier" if len(judges) == 1 else f"The judges are {len(judges)} classifiers")
            + f" of the preset {run.experiment.judge.preset}, with a test accuracy of {accuracy} %."
        ),
        Paragraph(
            "KID-judge and FD-judge are distances in the features of these judges. They are never a KID or an FID: "
            "those use the features of Inception and cannot be compared with numbers on this page."
        ),
    ]  # fmt: skip
