"""What a study can compare: quantities of evaluation.json, each with its unit and direction."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from dawn.results.statistics import Scale


@dataclass(frozen=True)
class Measure:
    """A quantity of an evaluation.

    key     its name in evaluation.json
    unit    of a value
    points  of a difference, with a space before it
    higher  whether the higher value is the better one
    scale   the range of a mean, for its interval
    """

    key: str
    name: str
    unit: str
    points: str
    digits: int
    higher: bool
    scale: Scale

    @property
    def title(self) -> str:
        """Its name and unit, for an axis or a column."""
        return f"{self.name}, {self.unit}" if self.unit else self.name

    @property
    def heading(self) -> str:
        """Its name with a capital letter."""
        return self.name[0].upper() + self.name[1:]


MEASURES = {
    measure.key: measure
    for measure in (
        Measure("accuracy", "accuracy", "%", " points", 2, True, "percent"),
        Measure("top5", "top-5 accuracy", "%", " points", 2, True, "percent"),
        Measure("loss", "loss", "", "", 4, False, "positive"),
        Measure("calibration_error", "calibration error", "", "", 4, False, "positive"),
        Measure("kid", "KID-judge", "", "", 4, False, "any"),
        Measure("kid_middle", "KID in the middle layer", "", "", 4, False, "any"),
        Measure("kid_random", "KID of a random network", "", "", 4, False, "any"),
        Measure("fd", "FD-judge", "", "", 3, False, "positive"),
        Measure("precision", "precision", "", "", 3, True, "fraction"),
        Measure("recall", "recall", "", "", 3, True, "fraction"),
        Measure("density", "density", "", "", 3, True, "positive"),
        Measure("coverage", "coverage", "", "", 3, True, "fraction"),
        Measure("class_accuracy", "class accuracy", "", "", 3, True, "fraction"),
        Measure("cas", "CAS", "", "", 3, True, "fraction"),
        Measure("copied", "copies", "%", " points", 2, False, "any"),
        Measure("c_t", "C_T", "", "", 2, True, "any"),
        Measure("critic_gap", "critic gap", "", "", 3, False, "any"),
        Measure("checkerboard", "checkerboard", "dB", " dB", 2, False, "any"),
        Measure("psnr", "PSNR", "dB", " dB", 2, True, "any"),
        Measure("ssim", "SSIM", "", "", 3, True, "similarity"),
        Measure("target_accuracy", "target accuracy", "", "", 3, True, "fraction"),
        Measure("cycle_error", "cycle error", "levels", " levels", 2, False, "positive"),
        Measure("cycle_error_noise", "cycle error with noise", "levels", " levels", 2, False, "positive"),
    )
}


def value(evaluation: Mapping[str, Any], key: str) -> float | None:
    """A measure in evaluation.json, None where it was not measured: a number, or of a GAN an entry of ``measures``."""
    found = evaluation.get("measures", evaluation).get(key)
    if isinstance(found, Mapping):
        found = found.get("value")
    return None if found is None else float(found)
