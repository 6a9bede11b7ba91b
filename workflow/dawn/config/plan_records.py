"""The JSON files of studies and searches as types, by which ``dawn.core.reading`` checks them."""

from typing import Annotated, Any, Literal

from pydantic import Field, StrictStr, model_validator

from dawn.config.records import Above0, Least1, Record
from dawn.config.types import MOST_SEEDS
from dawn.core.reading import Count, Number, Positive, Seed

Slug = Annotated[str, Field(pattern=r"^[\w+-][\w.+-]*$")]


class Proposed(Record):
    """A trial that is to be trained at a rung of a search."""

    trial: Count
    settings: dict[str, Any]
    cause: StrictStr


class Interim(Record):
    """analyses/N.json of a study: the seeds of each variant for the next analysis."""

    seeds: dict[str, Annotated[Count, Field(ge=1, le=MOST_SEEDS)]]


class Rung(Record):
    """rung-N.json of a search."""

    trials: Annotated[list[Proposed], Field(min_length=1)]


class TrialResult(Record):
    """trial.json: what came of a trial."""

    accuracy: Annotated[Positive, Field(le=100)] | None
    seconds: Positive
    cause: StrictStr


class Comparison(Record):
    """A comparison of the variants of a study, by their slugs."""

    name: StrictStr
    base: StrictStr
    weights: Annotated[dict[str, Number], Field(min_length=2)]


class Budget(Record):
    """What a training of a study may spend; one of them is given."""

    seconds: Positive | None
    flops: Positive | None


class Margin(Record):
    """study.json as far as it says which difference matters; None: by the number of test images."""

    measure: StrictStr
    difference: Above0 | None


class StudyFile(Margin):
    """study.json."""

    name: StrictStr
    variants: Annotated[dict[Slug, StrictStr], Field(min_length=1)]
    seeds: Annotated[list[Seed], Field(min_length=1)]
    analyses: Annotated[list[Least1], Field(min_length=1)]
    comparisons: list[Comparison]
    test: Literal["holm", "dunnett"]
    split: Literal["test", "holdout"] | None = "test"
    budget: Budget | None = None
    question: StrictStr = ""

    @model_validator(mode="after")
    def _known(self) -> "StudyFile":
        """Refuse a comparison of something that is no variant."""
        unknown = {slug for comparison in self.comparisons for slug in comparison.weights} - self.variants.keys()
        if unknown:
            raise ValueError(f"a comparison has weights of {sorted(unknown)[0]!r}, which is no variant")
        return self
