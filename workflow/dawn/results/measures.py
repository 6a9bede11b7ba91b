"""Every quantity over seeds: those that the tasks declare, and those of any training."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config import registry
from dawn.config.task import Measure
from dawn.results.statistics import spread

OF_TRAINING = (
    Measure("seconds", "seconds of training", "", 1, "lower", "positive"),
    Measure("images_per_s", "images/s in training", "", 0, "higher", "positive"),
    Measure("peak_memory_bytes", "peak memory in bytes", "", 0, "lower", "positive"),
    Measure("train_loss", "train loss", "nats", 4, "lower", "positive"),
    Measure("train_accuracy", "train accuracy", "%", 2, "higher", "percent"),
    Measure("dollars", "dollars", "", 4, "lower", "positive"),
    Measure("epochs", "epochs", "", 1, "lower", "positive"),
    Measure("joules", "energy, joules", "", 0, "lower", "positive"),
)
DECIDING = {key: measure for key, measure in registry.measures().items() if measure.decides}  # those of a study
MEASURES = {measure.key: measure for measure in (*registry.measures().values(), *OF_TRAINING)}


def over(values: Sequence[float], measure: Measure, images: int | None = None) -> dict[str, float | None]:
    """Mean, std and 95 % interval of the mean over seeds, of so many test ``images`` each."""
    return spread(values, measure.scale, images if measure.hits else None)


def value(evaluation: Mapping[str, Any], key: str) -> float | None:
    """A measure in evaluation.json, None where it was not measured: a number, or of a GAN an entry of ``measures``."""
    entry = evaluation.get("measures", evaluation).get(key)
    if isinstance(entry, Mapping):
        entry = entry.get("value")
    return None if entry is None else float(entry)


def over_seeds(evaluations: Sequence[Mapping[str, Any]], measure: Measure) -> dict[str, float | None] | None:
    """A measure over the seeds that have it; None where none has.

    A single seed of a GAN or a CycleGAN has the interval over its images, where its evaluation holds one.
    """
    known = [(e, number) for e in evaluations if (number := value(e, measure.key)) is not None]
    if not known:
        return None
    first = known[0][0]
    result = over([number for _, number in known], measure, images(first))
    if len(known) == 1 and isinstance(entry := first.get("measures", {}).get(measure.key), Mapping):
        result |= {end: entry.get(end) for end in ("low", "high")}
    return result


def images(evaluation: Mapping[str, Any]) -> int | None:
    """Return the number of images of an evaluation, where it says one."""
    number = evaluation.get("images")
    return number if isinstance(number, int) else None
