"""A study: a question, and the variants of one experiment that answer it."""

import itertools
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from dawn.config.errors import explain
from dawn.config.experiment import merge, nested, read
from dawn.config.types import STRICT, Positive
from dawn.core.cli import InputError


class Study(BaseModel):
    """The settings in a file of workflow/studies."""

    model_config = STRICT

    question: Annotated[str, Field(min_length=1)]
    """The question, which is the title of the page."""
    base: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$")] | None = None
    """Preset that all variants start from; null: params.yaml."""
    settings: dict[str, Any] = {}
    """Settings of all variants, merged with the preset."""
    seeds: int | list[int] = 5
    """Seeds of each variant: a list, or n for 0 to n - 1."""
    variants: dict[str, dict[str, Any] | None] = {}
    """Name of each variant, and its own settings."""
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    """In place of variants: dotted keys and their values, a variant for each combination."""
    against: str | None = None
    """The variant that the others are compared with; null: the first."""
    difference: Positive = 0.2
    """Difference in accuracy that matters, in percentage points."""

    @model_validator(mode="after")
    def _check(self) -> "Study":
        if bool(self.variants) == bool(self.grid):
            raise ValueError(f"give variants or a grid, not {'both' if self.grid else 'neither'}")
        names = list(self.overrides)
        if len(names) < 2:
            raise ValueError(f"a study needs at least two variants, not {len(names)}")
        if self.against is not None and self.against not in names:
            raise ValueError(f"against = {self.against} must be one of the variants {', '.join(names)}")
        return self

    @property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """The settings of each variant, by its name."""
        if self.variants:
            return {name: over or {} for name, over in self.variants.items()}
        found = {}
        for values in itertools.product(*self.grid.values()):
            over: dict[str, Any] = {}
            for key, value in zip(self.grid, values, strict=True):
                over = merge(over, nested(key, value))
            words = (f"{key.rpartition('.')[2]} {_word(v)}" for key, v in zip(self.grid, values, strict=True))
            found[", ".join(words)] = over
        return found


def load(path: Path) -> Study:
    """Read and check the study in a file."""
    try:
        return Study.model_validate(read(path))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, Study)}") from error


def _word(value: Any) -> str:
    return re.sub(r"[\s'\"]", "", str(value))
