"""The seeds of a study that ends when its comparisons are decided."""

from typing import Annotated

from pydantic import BaseModel, Field, model_validator

from dawn.config.types import MOST_SEEDS, STRICT

Number = Annotated[int, Field(ge=2, le=MOST_SEEDS)]


class Sequential(BaseModel):
    """Seeds of each variant at the interim analyses and at the last one."""

    model_config = STRICT

    first: Number = 5
    """Seeds at the first analysis; fewer than 5 cannot show whether seeds are as the tests assume."""
    most: Number
    """Seeds at the last one."""
    analyses: tuple[Number, ...] = ()
    """Seeds at each analysis; none: from first to most, about 1.6 times as many each time."""

    @model_validator(mode="after")
    def _check(self) -> "Sequential":
        if self.first >= self.most:
            raise ValueError(f"first = {self.first} must be below most = {self.most}")
        counts = list(self.counts)
        if counts != sorted(set(counts)) or (counts[0], counts[-1]) != (self.first, self.most):
            raise ValueError(f"analyses = {counts} must rise from first = {self.first} to most = {self.most}")
        return self

    @property
    def counts(self) -> tuple[int, ...]:
        """Return the seeds at each analysis."""
        if self.analyses:
            return self.analyses
        counts = [self.first]
        while 1.6 * 1.25 * counts[-1] < self.most:  # the last step is of 1.25 to 2 times; no step is smaller
            counts.append(max(counts[-1] + 1, round(1.6 * counts[-1])))
        return (*counts, self.most)
