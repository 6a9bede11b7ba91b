"""The JSON files of a classifier's seeds, and of all of them, as types."""

from typing import Annotated, Literal

from pydantic import Field, StrictStr, model_validator

from dawn.config import records
from dawn.config.records import Expected, Least1, Record, Spread
from dawn.core.reading import Count, Number, Positive, Seed

Percent = Annotated[float, Field(ge=0, le=100, strict=True)]


class Training(records.Training):
    """metrics.json of a seed."""

    train_loss: Number
    train_accuracy: Percent
    monitored: Literal["test", "holdout"]
    epochs: Positive = 0
    steps: Count = 0
    accuracy: Percent | None = None
    loss: Number | None = None


class RaceRun(Training):
    """A seed in the file runs.json of a race that was interrupted."""

    accuracy: Percent
    loss: Number | None
    seconds_to_target: Positive | None
    joules: Positive | None
    energy_source: StrictStr | None
    parameters: Count


class OfClass(Record):
    """How one class is classified; no recall without images of it, no precision where no image is said to be it."""

    recall: Percent | None
    precision: Percent | None


class Evaluation(records.Evaluation):
    """evaluation.json of a seed."""

    images: Least1
    accuracy: Percent
    top5: Percent
    loss: Number
    calibration_error: Number
    calibration_error_if_calibrated: Number
    classes: Annotated[dict[StrictStr, OfClass], Field(min_length=1)]
    confusion: list[list[Count]]

    @model_validator(mode="after")
    def _complete(self) -> "Evaluation":
        """Refuse a confusion that is not one of all images in all classes."""
        n = len(self.classes)
        if [len(row) for row in self.confusion] != [n] * n or sum(map(sum, self.confusion)) != self.images:
            raise ValueError(f"confusion is not that of {self.images} images in {n} classes")
        return self


class Target(Record):
    """The seeds that reach the target, and when they did in training."""

    accuracy: Percent
    share: Percent
    low: Percent | None
    high: Percent | None
    seeds_in_training: Count
    epochs: Spread | None
    seconds: Spread | None
    dollars: Spread | None
    expected_seconds: Expected

    @model_validator(mode="after")
    def _both(self) -> "Target":
        """Refuse one end of an interval without the other."""
        if (self.low is None) != (self.high is None):
            raise ValueError("an interval has one end")
        return self


class Accuracy(Spread):
    """The accuracy over seeds, and what few failed ones do not move."""

    median: Number
    interquartile_mean: Number


class Summary(records.Summary):
    """metrics.json over the seeds."""

    parameters: Count
    flops: Positive
    accuracy: Accuracy
    dollars: Spread | None
    top5: Spread
    loss: Spread
    calibration_error: Spread
    calibration_error_if_calibrated: Spread
    train_loss: Spread
    train_accuracy: Spread
    target: Target | None
    seeds_at_chance: list[Seed]
    seeds_not_above_chance: list[Seed]
    seeds_apart: list[Seed]
