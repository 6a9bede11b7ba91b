"""A CycleGAN: what it declares of itself. Imports no torch."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from dawn.config.augment import Augment
from dawn.config.records import OfDomains, summary
from dawn.config.task import Curve, Figure, Measure, Plot, Task, arrays
from dawn.core.cli import InputError, quoted
from dawn.tasks.cycle.records import Evaluation, Training
from dawn.tasks.cycle.settings import LEAST, Cycle, Domains
from dawn.tasks.generative.measures import KID
from dawn.tasks.generative.settings import Judge

OF_TRANSLATIONS = (
    Measure("psnr", "PSNR", "dB", 2, "higher", "any", decides=True),
    Measure("psnr_above_identity", "PSNR above the identity's", "dB", 2, "higher", "any"),
    Measure("ssim", "SSIM", "", 3, "higher", "similarity", decides=True),
    Measure("target_accuracy", "target accuracy", "", 3, "higher", "fraction", decides=True),
    KID,
    Measure("cycle_error", "cycle error", "levels", 2, "lower", "positive", decides=True),
    Measure("cycle_error_noise", "cycle error with noise", "levels", 2, "lower", "positive", decides=True),
)
DIRECTIONS = {"": "mean of both", "_to_b": "A to B", "_to_a": "B to A"}  # suffixes of the measures
MEASURES = tuple(
    replace(measure, key=measure.key + suffix, decides=measure.decides and not suffix)
    for measure in OF_TRANSLATIONS
    for suffix in DIRECTIONS
)
FIGURES = (
    Figure("cycle-images", "1 Result", "source, translation, cycle"),
    Figure("cycle-progress", "2 Training", "translations along the training"),
    Figure("cycle-curves", "2 Training", "losses and measures by epoch"),
)
PLOTS = (
    Plot(("adversarial_loss", "cycle_loss", "identity_loss", "critic_loss"), "loss, sum of both directions", "Losses"),
)


def check(experiment: Any) -> None:
    """Raise ValueError for settings that do not fit together."""
    cycle, domains, run = experiment.cycle, experiment.domains, experiment.run
    if isinstance(run.processes, int) and cycle.batch % (processes := run.processes * run.nodes):
        raise ValueError(f"cycle.batch {cycle.batch} is not divisible by {processes} processes")
    if fault := Augment(pad=cycle.pad).beyond(experiment.data.side, "cycle"):
        raise ValueError(fault)
    if cycle.pairs and not domains.paired:
        raise ValueError(f"cycle.pairs needs a truth, which domains.kind {domains.kind} does not have")


def check_data(experiment: Any, about: Mapping[str, Any]) -> None:
    """Raise InputError for domains of classes that the data does not have, or of too few images."""
    classes = list(about["classes"])
    for key in ("a", "b"):
        names = getattr(experiment.domains, key)
        if unknown := [name for name in names if name not in classes]:
            raise InputError(
                f"domains.{key}: {unknown[0]} is no class of the data; they are {quoted(', '.join(classes), 300)}"
            )
        for split, least in (("train", max(LEAST, experiment.cycle.batch)), ("test", LEAST)):
            count = sum(about["class_counts"][split][classes.index(name)] for name in names)
            if count < least:
                raise InputError(
                    f"domains.{key}: {count} {split} images of {', '.join(names)}; at least {least} are needed"
                )


def needs_judges(experiment: Any) -> bool:
    """Return whether classifiers measure the translations: where no truth is known."""
    return experiment.judge.preset is not None and not experiment.domains.paired


def measurable(measure: Measure, experiment: Any) -> str | None:
    """Why the experiment does not have the measure, or None."""
    if measure.key in ("psnr", "ssim") and not experiment.domains.paired:
        return "needs a truth, and domains.kind classes has none"
    if measure.key in ("kid", "target_accuracy") and not needs_judges(experiment):
        return "needs judges, which only domains.kind classes with a judge.preset has"
    return None


TASK = Task(
    name="cycle",
    title="a CycleGAN",
    sections={"domains": (Domains, Domains()), "cycle": (Cycle, Cycle()), "judge": (Judge, Judge())},
    main="cycle",
    networks=("cycle",),
    trained_by=("data", "domains", "cycle"),
    evaluated_by=("judge",),
    judges_decide=True,
    training_files=("curve.tsv", "model.safetensors", "progress.npy"),
    evaluation_files=("back_a.npy", "back_b.npy", "in_a.npy", "in_b.npy"),
    measures=MEASURES,
    training=Training,
    provenance=OfDomains,
    evaluation=Evaluation,
    summary=summary(measure.key for measure in MEASURES),
    figures=FIGURES,
    page_figures=tuple(figure.name for figure in FIGURES),
    plots=PLOTS,
    curve=Curve("psnr", "PSNR of test images, dB", "PSNR during training, higher is better"),
    about="domains.json",
    data=lambda experiment: (*(f"{name}.npy" for name in experiment.domains.arrays), "domains.json"),
    evaluation_data=lambda experiment: (*arrays(experiment), "stats.json") if needs_judges(experiment) else (),
    generated=lambda experiment: experiment.domains.kind == "shapes",
    check=check,
    check_data=check_data,
    needs_judges=needs_judges,
    measurable=measurable,
    rules=("cycle/domains.smk",),
    data_rules=("domains",),
    data_sections=("domains",),
    data_commands=("tasks.cycle.domains",),
)
