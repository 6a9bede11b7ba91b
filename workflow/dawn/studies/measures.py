"""What a study can compare: quantities of evaluation.json, each with its unit and direction."""

from dataclasses import dataclass

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


MEASURES = {
    measure.key: measure
    for measure in (
        Measure("accuracy", "accuracy", "%", " points", 2, True, "percent"),
        Measure("top5", "top-5 accuracy", "%", " points", 2, True, "percent"),
        Measure("loss", "loss", "", "", 4, False, "positive"),
        Measure("calibration_error", "calibration error", "", "", 4, False, "positive"),
    )
}
