"""A study: one question, asked by several experiments that differ in what it is about and share all else."""

import itertools
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

from pydantic import BaseModel, Field, ValidationError, model_validator

from dawn.cli import Refusal
from dawn.config.experiment import Experiment, check, lay, read
from dawn.config.types import STRICT, Positive

SHARED = ("data", "seeds", "run")  # what every variant of a study has in common
TAKEN = ("plots", "page", "table", "timing")  # names beside the variants' directories


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
                over = lay(over, _nested(key, value))
            words = (f"{key.rpartition('.')[2]} {_word(v)}" for key, v in zip(self.grid, values, strict=True))
            found[", ".join(words)] = over
        return found


@dataclass(frozen=True)
class Variant:
    """One experiment of a study; ``slug`` is the name of its directory."""

    name: str
    slug: str
    experiment: Experiment


@dataclass(frozen=True)
class Plan:
    """A study as it is carried out: the experiment that its variants are laid over, and these, by their slugs."""

    name: str
    path: Path
    study: Study
    shared: Experiment
    variants: dict[str, Variant]

    @property
    def against(self) -> Variant:
        """The variant that the others are compared with."""
        return self.variants[slug(self.study.against or next(iter(self.study.overrides)))]

    @property
    def text(self) -> str:
        """What the table and the page need to know of the study itself, as canonical JSON."""
        about = {
            "name": self.name,
            "question": self.study.question,
            "variants": {slug: variant.name for slug, variant in self.variants.items()},
            "against": self.against.slug,
            "difference": self.study.difference,
        }
        return json.dumps(about, separators=(",", ":"))

    @property
    def directory(self) -> str:
        """Where its results are."""
        return f"results/studies/{self.name}"


def slug(name: str) -> str:
    """A name for a directory: letters, digits and ``. _ + -`` stay, B(3,1) becomes B-3-1."""
    return re.sub(r"[^\w.+-]+", "-", name, flags=re.ASCII).strip("-.")


def find(name: str, folder: Path) -> Path:
    """The file of a study: by its name among those in ``folder``, or by its path."""
    path = Path(name) if name.endswith((".yaml", ".yml")) else folder / f"{name}.yaml"
    if not path.is_file():
        known = ", ".join(sorted(p.stem for p in folder.glob("*.yaml")))
        raise Refusal(f"study = {name}: there is no {path}; studies: {known}")
    return path


def load(path: Path) -> Study:
    """The study of a file, or a Refusal that names the fault."""
    try:
        return Study.model_validate(read(path))
    except ValidationError as error:
        faults = [_fault(dict(fault)) for fault in error.errors(include_url=False)]
        raise Refusal(f"{path}: {'; '.join(faults)}") from error


def plan(path: Path, params: Path, presets: Path, over: Mapping[str, Any]) -> Plan:
    """The study in full: params.yaml, its base and settings, ``over`` (the command line), each variant on top."""
    study = load(path)
    base = presets / f"{study.base}.yaml"
    if study.base is not None and not base.is_file():
        known = ", ".join(sorted(p.stem for p in presets.glob("*.yaml")))
        raise Refusal(f"{path}: base = {study.base}: there is no such preset; presets: {known}")
    values = lay(read(params), read(base)) if study.base else read(params)
    values = lay(lay(lay(values, {"seeds": study.seeds}), study.settings), over)
    shared = check(values, f"{path}, settings")
    variants: dict[str, Variant] = {}
    for name, own in study.overrides.items():
        variant = Variant(name, slug(name), _experiment(path, name, values, own))
        _distinct(path, variant, variants)
        variants[variant.slug] = variant
    return Plan(path.stem, path, study, shared, variants)


def _experiment(path: Path, name: str, values: dict[str, Any], own: Mapping[str, Any]) -> Experiment:
    """One variant's, its own settings over what is shared; not what makes them comparable."""
    for key in SHARED:
        if key in own:
            raise Refusal(f"{path}: variant {name} changes {key}, which all variants share; put it into settings")
    return check(lay(values, own), f"{path}, variant {name}")


def _distinct(path: Path, variant: Variant, others: Mapping[str, Variant]) -> None:
    """Refuse a variant that would share its directory or its experiment with another."""
    if not variant.slug or variant.slug in TAKEN or re.search(r'["|<>\n]', variant.name):
        raise Refusal(f"{path}: variant {variant.name} makes no name for a directory and a table; use letters, "
                      "digits and . _ + - ( ) ,")  # fmt: skip
    if variant.slug in others:
        raise Refusal(f"{path}: {variant.name} and {others[variant.slug].name} would share {variant.slug}/; rename one")
    for other in others.values():
        if other.experiment == variant.experiment:
            raise Refusal(f"{path}: variants {other.name} and {variant.name} are the same experiment")


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
