"""Every quantity over seeds: its name, unit, digits, direction and range, declared once for all files and pages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from dawn.results.statistics import Scale, spread

Better = Literal["higher", "lower", "0", "1"]


@dataclass(frozen=True)
class Measure:
    """A quantity of a training or of its evaluation.

    key     its name in evaluation.json, or in metrics.json of a seed
    unit    of a value
    digits  after the point, wherever it is printed
    better  which values are the better ones
    scale   the range of a mean, for its interval
    log     whether its values differ by orders of magnitude
    hits    whether it is a percentage of the test images, each right or wrong
    """

    key: str
    name: str
    unit: str
    digits: int
    better: Better
    scale: Scale
    log: bool = False
    hits: bool = False

    @property
    def title(self) -> str:
        """Its name and unit, for an axis or a column."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def heading(self) -> str:
        """Its name with a capital letter."""
        return self.name[0].upper() + self.name[1:]

    @property
    def suffix(self) -> str:
        """The unit as it follows a value."""
        return f" {self.unit}" if self.unit else ""

    @property
    def points(self) -> str:
        """The unit as it follows a difference."""
        return " points" if self.unit == "%" else self.suffix

    @property
    def higher(self) -> bool:
        """Whether the higher value is the better one, for a comparison."""
        return self.better == "higher"

    def over(self, values: Sequence[float], images: int | None = None) -> dict[str, float | None]:
        """Mean, std and 95 % interval of the mean over seeds, of so many test ``images`` each."""
        return spread(values, self.scale, images if self.hits else None)


def _checkerboard(key: str, where: str) -> Measure:
    return Measure(f"checkerboard_{key}", f"checkerboard, {where}", "dB", 2, "0", "any")


OF_CLASSIFIER = (
    Measure("accuracy", "accuracy", "%", 2, "higher", "percent", hits=True),
    Measure("top5", "top-5 accuracy", "%", 2, "higher", "percent", hits=True),
    Measure("loss", "loss", "nats", 4, "lower", "positive"),
    Measure("calibration_error", "calibration error", "", 4, "lower", "fraction"),
    Measure("calibration_error_if_calibrated", "calibration error if calibrated", "", 4, "lower", "fraction"),
)
OF_GAN = (
    Measure("kid", "KID-judge", "", 4, "lower", "any", log=True),
    Measure("kid_middle", "KID-judge, middle layer", "", 4, "lower", "any", log=True),
    Measure("kid_random", "KID-judge, untrained network", "", 4, "lower", "any", log=True),
    Measure("fd", "FD-judge", "", 3, "lower", "positive", log=True),
    Measure("fd_middle", "FD-judge, middle layer", "", 3, "lower", "positive", log=True),
    Measure("fd_random", "FD-judge, untrained network", "", 3, "lower", "positive", log=True),
    Measure("precision", "precision", "", 3, "higher", "fraction"),
    Measure("recall", "recall", "", 3, "higher", "fraction"),
    Measure("density", "density", "", 3, "1", "positive"),
    Measure("density_distance", "density, distance from 1", "", 3, "lower", "positive"),
    Measure("coverage", "coverage", "", 3, "higher", "fraction"),
    Measure("class_accuracy", "class accuracy", "", 3, "higher", "fraction"),
    Measure("cas", "classification accuracy score (CAS)", "", 3, "higher", "fraction"),
    Measure("entropy", "entropy of the classes", "nats", 3, "higher", "positive"),
    Measure("total_variation", "distance from uniform classes", "", 3, "lower", "fraction"),
    Measure("c_t", "copying, C_T", "", 2, "0", "any"),
    Measure("c_t_distance", "copying, C_T, distance from 0", "", 2, "lower", "positive"),
    Measure("copied", "copies", "%", 2, "0", "any"),
    Measure("copied_middle", "copies, middle layer", "%", 2, "0", "any"),
    Measure("critic_gap", "critic gap", "", 3, "0", "any"),
    Measure("critic_gap_distance", "critic gap, distance from 0", "", 3, "lower", "positive"),
    Measure("checkerboard", "checkerboard", "dB", 2, "0", "any"),
    Measure("checkerboard_distance", "checkerboard, distance from 0", "dB", 2, "lower", "positive"),
    _checkerboard("x2", "horizontal, 2 pixels"), _checkerboard("x4", "horizontal, 4 pixels"),
    _checkerboard("y2", "vertical, 2 pixels"), _checkerboard("y4", "vertical, 4 pixels"),
)  # fmt: skip
OF_CYCLE = (
    Measure("psnr", "PSNR", "dB", 2, "higher", "any"),
    Measure("psnr_above_identity", "PSNR above the identity's", "dB", 2, "higher", "any"),
    Measure("ssim", "SSIM", "", 3, "higher", "similarity"),
    Measure("target_accuracy", "target accuracy", "", 3, "higher", "fraction"),
    Measure("cycle_error", "cycle error", "levels", 2, "lower", "positive"),
    Measure("cycle_error_noise", "cycle error with noise", "levels", 2, "lower", "positive"),
)
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
MEASURES = {measure.key: measure for measure in (*OF_CLASSIFIER, *OF_GAN, *OF_CYCLE, *OF_TRAINING)}
DIRECTIONS = {"": "mean of both", "_to_b": "A to B", "_to_a": "B to A"}  # suffixes of a CycleGAN's measures


def measure_of(key: str) -> Measure:
    """The declaration of a quantity, which a CycleGAN has in each direction as well."""
    return MEASURES[key] if key in MEASURES else MEASURES[key.removesuffix("_to_a").removesuffix("_to_b")]


def value(evaluation: Mapping[str, Any], key: str) -> float | None:
    """A measure in evaluation.json, None where it was not measured: a number, or of a GAN an entry of ``measures``."""
    found = evaluation.get("measures", evaluation).get(key)
    if isinstance(found, Mapping):
        found = found.get("value")
    return None if found is None else float(found)


def over_seeds(evaluations: Sequence[Mapping[str, Any]], measure: Measure) -> dict[str, float | None] | None:
    """A measure over the seeds that have it; None where none has.

    A single seed of a GAN or a CycleGAN has the interval over its images, where its evaluation holds one.
    """
    known = [(e, number) for e in evaluations if (number := value(e, measure.key)) is not None]
    if not known:
        return None
    first = known[0][0]
    found = measure.over([number for _, number in known], _images(first))
    if len(known) == 1 and isinstance(entry := first.get("measures", {}).get(measure.key), Mapping):
        found |= {end: entry.get(end) for end in ("low", "high")}
    return found


def _images(evaluation: Mapping[str, Any]) -> int | None:
    images = evaluation.get("images")
    return images if isinstance(images, int) else None
