"""A study: one question, asked by several experiments that differ in what it is about and share all else."""

import itertools
import json
import re
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from dawn.config.experiment import merge, read
from dawn.config.types import STRICT, Positive
from dawn.core.cli import InputError


class Study(BaseModel):
    """A file of workflow/studies. ``variants`` or ``grid`` say what differs, ``settings`` what all have.

    base        preset under the settings, by name; none: params.yaml itself
    grid        dotted keys to lists of values; a variant is one of each
    against     the variant that the others are compared with; none: the first
    difference  percentage points of accuracy that would matter
    """

    model_config = STRICT

    question: Annotated[str, Field(min_length=1)]
    base: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$")] | None = None
    settings: dict[str, Any] = {}
    seeds: int | list[int] = 5
    variants: dict[str, dict[str, Any] | None] = {}
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = {}
    against: str | None = None
    difference: Positive = 0.2

    @model_validator(mode="after")
    def _whole(self) -> "Study":
        if bool(self.variants) == bool(self.grid):
            raise ValueError(f"give variants or a grid, not {'both' if self.grid else 'neither'}")
        names = list(self.overrides)
        if len(names) < 2:
            raise ValueError(f"a study compares at least two variants, and here is {len(names)}")
        if self.against is not None and self.against not in names:
            raise ValueError(f"against = {self.against} is none of the variants {', '.join(names)}")
        return self

    @property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """What each variant lays over the rest, by its name."""
        if self.variants:
            return {name: over or {} for name, over in self.variants.items()}
        found = {}
        for values in itertools.product(*self.grid.values()):
            over: dict[str, Any] = {}
            for key, value in zip(self.grid, values, strict=True):
                over = merge(over, _nested(key, value))
            words = (f"{key.rpartition('.')[2]} {_word(v)}" for key, v in zip(self.grid, values, strict=True))
            found[", ".join(words)] = over
        return found


def load(path: Path) -> Study:
    """The study of a file, or a InputError that names the fault."""
    try:
        return Study.model_validate(read(path))
    except ValidationError as error:
        faults = [_fault(dict(fault)) for fault in error.errors(include_url=False)]
        raise InputError(f"{path}: {'; '.join(faults)}") from error


def _nested(key: str, value: Any) -> dict[str, Any]:
    for part in reversed(key.split(".")):
        value = {part: value}
    nested: dict[str, Any] = value
    return nested


def _word(value: Any) -> str:
    return re.sub(r"[\s'\"]", "", str(value))


def _fault(fault: dict[str, Any]) -> str:
    key = ".".join(str(part) for part in fault["loc"])
    if fault["type"] == "extra_forbidden":
        return f"{key} is not a known key; allowed: {', '.join(sorted(Study.model_fields))}"
    if fault["type"] == "missing":
        return f"{key} is missing"
    message = fault["msg"].removeprefix("Value error, ")
    if fault["type"] == "value_error":
        return f"{key}: {message}" if key else str(message)
    return f"{key} = {json.dumps(fault['input'], default=str)}: {message[0].lower()}{message[1:]}"
