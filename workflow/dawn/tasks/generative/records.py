"""The JSON files of generated images as types."""

from typing import Annotated, Any

from pydantic import Field, model_validator

from dawn.config import records
from dawn.config.records import Entry, Judge, Known, Least1, Names, Record
from dawn.core.reading import Count, Number, Sha256


class Images(Record):
    """How many images were measured, and against how many."""

    samples: Least1
    test: Least1


class Bounded(Known):
    """A measure of a few samples along the training."""

    low: Number
    high: Number


class Nearest(Record):
    """Samples by their numbers, their nearest train images, and the ratios of their distances."""

    samples: list[Count]
    train: list[tuple[Count, Count]]
    ratio: list[Number]

    @model_validator(mode="after")
    def _alike(self) -> "Nearest":
        """Refuse lists of unequal lengths."""
        if not len(self.samples) == len(self.train) == len(self.ratio):
            raise ValueError("samples, train and ratio have unequal lengths")
        return self


class Copied(Entry):
    """The estimate of copies, with the p-value of there being none."""

    p: Number


class Measures(records.Measures):
    """The measures that every page has."""

    kid: Entry
    copied: Copied


class Evaluation(records.Evaluation):
    """evaluation.json of the samples of a seed."""

    images: Images
    measures: Measures
    judges: Annotated[list[Judge], Field(min_length=1)]
    class_names: Names
    classes: list[Known]
    progress: list[Bounded]
    nearest: Nearest
    nearest_of_first: Nearest

    @model_validator(mode="after")
    def _complete(self) -> "Evaluation":
        """Refuse classes without a value."""
        if len(self.classes) != len(self.class_names):
            raise ValueError("classes and class_names have unequal lengths")
        return self


class References(Record):
    """references.json: what the judges make of real and of spoiled images."""

    neighbours: Least1
    judges: list[Sha256]
    pixels: list[Number]
    measures: dict[str, dict[str, Any]]
