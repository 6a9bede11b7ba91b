"""A study: a question, and the variants of one experiment that answer it."""

import itertools
import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Discriminator, Field, Tag, ValidationError, model_validator

from dawn.config import registry
from dawn.config.errors import explain
from dawn.config.experiment import merge, nested, read
from dawn.config.types import MOST_SEEDS, Positive, Settings
from dawn.core.cli import InputError

Number = Annotated[int, Field(ge=2, le=MOST_SEEDS)]


class Sequential(Settings):
    """Seeds of each variant at the interim analyses and at the last one."""

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


AGAINST = ("previous", "all", "effects")  # what `against` can be other than a variant
MOST_VARIANTS = 200

KEYS = dict.fromkeys(key for task in registry.TASKS for key in registry.task(task).deciding)
Measure: Any = Literal[tuple(KEYS)] | None


def _kind(seeds: Any) -> str:
    return "tag:mapping" if isinstance(seeds, Mapping | Sequential) else "tag:plain"


Seeds = Annotated[
    Annotated[int | list[int], Tag("tag:plain")] | Annotated[Sequential, Tag("tag:mapping")], Discriminator(_kind)
]


class Budget(Settings):
    """What each training may spend until its value is taken; one of the two."""

    seconds: Positive | None = None
    """Seconds of training."""
    flops: Annotated[float, Field(gt=0, le=1e30)] | None = None
    """FLOPs of training, three forward passes an image."""

    @model_validator(mode="after")
    def _check(self) -> "Budget":
        if (self.seconds is None) == (self.flops is None):
            raise ValueError("give seconds or flops")
        return self


class Study(Settings):
    """The settings in a file of workflow/studies."""

    question: Annotated[str, Field(min_length=1)]
    """The question, which is the title of the page."""
    base: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$")] | None = None
    """Preset that all variants start from; null: params.yaml."""
    settings: dict[str, Any] = Field(default={})
    """Settings of all variants, merged with the preset."""
    seeds: Seeds = 5
    """Seeds of each variant: a list, n for 0 to n - 1 (5 if not given), or {first, most} with interim analyses between,
    first = 5 if not given."""
    until: Literal["decided"] | None = None
    """decided: train more seeds of the variants that an interim analysis has not decided."""
    variants: dict[str, dict[str, Any] | None] = Field(default={})
    """Name of each variant, and its own settings."""
    grid: dict[str, Annotated[list[Any], Field(min_length=1)]] = Field(default={})
    """In place of variants: dotted keys and their values, a variant for each combination."""
    against: str | None = None
    """The variant that the others are compared with; null: the first | previous: each with the one before | all: every
    pair | effects: main effects and interactions of a grid."""
    measure: Measure = None
    """What decides; null: accuracy, kid of GANs, psnr of CycleGANs."""
    difference: Positive | None = None
    """Difference that matters, in units of the measure; null: 0.2 points of accuracy, or one of under 500 images."""
    split: Literal["test", "holdout"] = "test"
    """The images of the measure; holdout: those of data.holdout, so that what is chosen by the study was not chosen on
    the test split."""
    budget: Budget | None = None
    """Compare at an equal budget, by the learning curves, in place of the ends of the trainings."""
    test: Literal["holm", "dunnett"] = "holm"
    """holm: each comparison with its own spread | dunnett: one spread for all variants, which have to spread alike."""
    spread: Positive | None = None
    """Expected standard deviation over the seeds of a variant, to plan the number of seeds with."""

    @model_validator(mode="after")
    def _check(self) -> "Study":
        if bool(self.variants) == bool(self.grid):
            raise ValueError(f"give variants or a grid, not {'both' if self.grid else 'neither'}")
        if (count := len(self.variants) or math.prod(map(len, self.grid.values()))) > MOST_VARIANTS:
            raise ValueError(f"{count:,} variants are more than a study can compare, at most {MOST_VARIANTS}")
        names = list(self.overrides)
        if len(names) < 2:
            raise ValueError(f"a study needs at least two variants, not {len(names)}")
        if taken := [name for name in names if name in AGAINST]:
            raise ValueError(f"a variant cannot be called {taken[0]}, which is a value of against; rename it")
        if self.against is not None and self.against not in (*names, *AGAINST):
            raise ValueError(f"against = {self.against} must be one of {', '.join(AGAINST)}, {', '.join(names)}")
        return self

    @model_validator(mode="after")
    def _agree(self) -> "Study":
        if self.against == "effects" and not self.grid:
            raise ValueError("against = effects needs a grid")
        if self.test == "dunnett" and self.against in AGAINST:
            raise ValueError(f"test = dunnett compares with one variant; against = {self.against} needs holm")
        if isinstance(self.seeds, Sequential) != (self.until is not None):
            raise ValueError("until: decided and seeds: {most: 20} need each other")
        return self

    @property
    def overrides(self) -> dict[str, dict[str, Any]]:
        """The settings of each variant, by its name."""
        if self.variants:
            return {name: over or {} for name, over in self.variants.items()}
        combined = {}
        for values in itertools.product(*self.grid.values()):
            over: dict[str, Any] = {}
            for key, value in zip(self.grid, values, strict=True):
                over = merge(over, nested(key, value))
            combined[", ".join(map(level, self.grid, values))] = over
        return combined


def load(path: Path) -> Study:
    """Read and check the study in a file."""
    try:
        return Study.model_validate(read(path))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, Study)}") from error


def level(key: str, value: Any) -> str:
    """Return a value of a grid in words: the last part of its key, then the value."""
    return f"{key.rpartition('.')[2]} {_word(value)}"


def _word(value: Any) -> str:
    return re.sub(r"[\s'\"]", "", str(value))
