"""Results that are not ours: a row of somebody's table as YAML, with the settings that should reproduce it."""

import math
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator
from scipy import stats

from dawn.config.errors import explain
from dawn.config.experiment import check, merge
from dawn.config.experiment import read as read_yaml
from dawn.config.sections import Run
from dawn.config.types import Settings
from dawn.core.cli import InputError
from dawn.reproduction.analyses import Published
from dawn.reproduction.publication import Publication

Runs = Annotated[int, Field(ge=1, le=1_000_000)]


class Row(Settings):
    """A mean over ``n`` trainings, with their values, their standard deviation or the 95 % interval of the mean."""

    mean: float | None = None
    """Filled in where the values are given."""
    n: Runs | None = None
    """Trainings; filled in where the values are given."""
    std: Annotated[float, Field(ge=0)] | None = None
    """Sample standard deviation over the trainings."""
    interval: tuple[float, float] | None = None
    """The 95 % interval of the mean, in place of the standard deviation."""
    values: tuple[float, ...] = ()
    """Of each training, where they are known."""

    @model_validator(mode="after")
    def _complete(self) -> "Row":
        if bool(self.values) == (self.mean is not None and self.n is not None):
            raise ValueError("give values, or mean and n")
        if sum(spread is not None for spread in (self.std, self.interval)) + bool(self.values) > 1:
            raise ValueError("the spread is given twice; give one of values, std and interval")
        if self.interval and (self.n == 1 or not self.interval[0] <= (self.mean or 0) <= self.interval[1]):
            raise ValueError("interval: it has the mean in it, and one training has none")
        return self

    @property
    def published(self) -> Published:
        """Return the mean and the spread; a half width h of an interval is that of std = h sqrt(n) / t."""
        if self.values:
            return Published.of(self.values)
        mean, n, std = float(self.mean or 0), int(self.n or 1), self.std
        if self.interval:
            half = (self.interval[1] - self.interval[0]) / 2
            std = half * math.sqrt(n) / float(stats.t.isf(0.025, n - 1))
        return Published(n, mean, std)


class Table(Settings):
    """A file for ``--published``."""

    what: Annotated[str, Field(min_length=1, max_length=200)]
    """Name of the result."""
    source: Annotated[str, Field(min_length=1, max_length=500)]
    """Where it is published."""
    remark: Annotated[str, Field(max_length=1000)] = ""
    """What the settings do otherwise, or what the number is."""
    measure: str | None = None
    """Its key, such as accuracy; null: the first by which studies of the task decide."""
    result: Row
    """In the unit of the measure."""
    seconds: Row | None = None
    """Of a training."""
    hardware: str = ""
    """The GPU on which it took these seconds, as nvidia-smi names it, or the CPU."""
    preset: str | None = None
    """The preset that has its settings; null: params.yaml as committed."""
    settings: dict[str, Any] = Field(default={})
    """Merged over them."""


def read(path: Path, root: Path) -> tuple[Publication, str]:
    """Return what a file publishes, and where it is published; ``root`` is the checkout with the presets."""
    try:
        table = Table.model_validate(read_yaml(path))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, Table)}") from error
    values = read_yaml(root / "params.yaml")
    if table.preset:
        preset = root / f"workflow/presets/{table.preset}.yaml"
        if not preset.is_file():
            known = ", ".join(sorted(file.stem for file in preset.parent.glob("*.yaml")))
            raise InputError(f"{path}: preset = {table.preset}: must be one of {known}")
        values = merge(values, read_yaml(preset))
    experiment = check(merge(values, table.settings), str(path)).model_copy(update={"run": Run()})
    deciding = experiment.declared.deciding
    key = table.measure or next(iter(deciding))
    if key not in deciding:
        raise InputError(f"{path}: measure = {key}: must be one of {', '.join(deciding)}")
    seconds = table.seconds.published if table.seconds else None
    result = Publication(
        table.what, experiment, deciding[key], table.result.published, seconds, table.hardware, remark=table.remark
    )
    return result, table.source
