"""One experiment: params.yaml, a preset over it, single settings over that, all checked before any job runs."""

import difflib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

import yaml
from pydantic import BaseModel, BeforeValidator, Field, NonNegativeInt, ValidationError, model_validator
from pydantic_core import ErrorDetails

from dawn.config.networks import Airbench, Darknet, Model, Torchvision, WideResNet
from dawn.config.sections import Data, Evaluate, LrFind, Run, Submission, Timing, Train
from dawn.config.types import STRICT
from dawn.core.cli import InputError

TRAINED = ("data", "model", "train")  # the sections that decide the weights of a seed
CHOICES = (*TRAINED, "evaluate")  # the sections that decide its result
WORDS = {  # for pydantic's own, which speak of its types
    "model_type": "a mapping of settings is expected, such as {key: value}",
    "model_attributes_type": "a mapping of settings is expected, such as {key: value}",
    "too_short": "more of them are needed",
}
MOST_SEEDS = 10_000
FAMILIES: dict[str, type[BaseModel]] = {
    "darknet": Darknet,
    "wrn": WideResNet,
    "torchvision": Torchvision,
    "airbench": Airbench,
}


def _counted(seeds: Any) -> Any:
    """A number of seeds as the list of the first so many; anything else as it is."""
    if isinstance(seeds, int | str) and str(seeds).isdigit():
        if not 1 <= int(seeds) <= MOST_SEEDS:
            raise ValueError(f"{seeds} seeds are asked for; give 1 to {MOST_SEEDS}, or a list such as [0, 1, 2]")
        return range(int(seeds))
    return seeds


class Experiment(BaseModel):
    """Every choice of one experiment. A value of this type has been checked."""

    model_config = STRICT

    seeds: Annotated[tuple[NonNegativeInt, ...], Field(min_length=1), BeforeValidator(_counted)]
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate = Evaluate()
    lr_find: LrFind = LrFind()
    timing: Timing = Timing()
    run: Run = Run()
    submission: Submission = Submission()

    @model_validator(mode="after")
    def _consistent(self) -> "Experiment":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError(f"seeds {list(self.seeds)} name one seed twice; give each once")
        if isinstance(self.run.processes, int):
            divisible(self.train, self.run.processes * self.run.nodes)
        return self

    def text(self, *sections: str) -> str:
        """The named sections as canonical JSON: equal texts, equal choices."""
        return json.dumps(self.model_dump(mode="json", include=set(sections)), sort_keys=True, separators=(",", ":"))


def divisible(train: Train, processes: int) -> None:
    """Raise ValueError unless the global batch splits evenly over processes and accumulated parts."""
    if train.batch % (processes * train.accumulate):
        raise ValueError(
            f"train.batch {train.batch} does not divide by {processes} processes x train.accumulate {train.accumulate}"
        )


def fits(train: Train, processes: int) -> None:
    """The same of a world that is already there: a InputError."""
    try:
        divisible(train, processes)
    except ValueError as error:
        raise InputError(str(error)) from error


def load(path: Path) -> Experiment:
    """The experiment of one YAML (or JSON) file. Refuses with the key, the value and what is allowed."""
    return check(read(path), str(path))


def dump(experiment: Experiment) -> str:
    """The whole experiment as YAML, every default filled in."""
    return yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, width=100)


def read(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file, unchecked."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(f"{path} holds {type(values).__name__}, not a mapping of sections such as data, model, train")
    return values


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """``over`` laid on ``base``, section by section; lists are replaced.

    A model of another family starts afresh, since the keys of one family mean nothing to the other. The word null
    counts as null: Snakemake's --config hands every value over as a word, and pydantic knows all but this one.
    """
    if "family" in over and over["family"] != base.get("family"):
        base = {}
    merged = dict(base)
    for key, value in over.items():
        below = merged.get(key)
        if isinstance(value, Mapping):
            merged[key] = merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = None if value == "null" else value
    return merged


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of nested mappings by their dotted keys, in order: ``train.schedule.peak``."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        leaves |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return leaves


def check(values: Mapping[str, Any], source: str = "params") -> Experiment:
    """The experiment that a mapping describes, or a InputError with a line for each fault."""
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        faults = error.errors(include_url=False)
        raise InputError(f"{source}: " + "; ".join(_fault(fault) for fault in faults)) from error


def _fault(fault: ErrorDetails) -> str:
    """One fault in words: the key, the value, what is allowed."""
    family = next((part for part in fault["loc"] if part in FAMILIES), None)
    where = [
        str(part) for part in fault["loc"] if part != family and not str(part).startswith(("literal[", "constrained"))
    ]
    key, value = ".".join(where), fault["input"]
    if fault["type"] == "extra_forbidden":
        return _unknown(where, FAMILIES.get(str(family), Experiment))
    if fault["type"] == "missing":
        return f"{key} is missing"
    if fault["type"] == "value_error":
        return (f"{key}: " if key else "") + fault["msg"].removeprefix("Value error, ")
    if fault["type"].startswith("union_tag"):
        found = value.get("family") if isinstance(value, dict) else value
        return f"{key}.family = {json.dumps(found, default=str)}: must be one of {', '.join(FAMILIES)}"
    message = WORDS.get(fault["type"], fault["msg"][0].lower() + fault["msg"][1:])
    return f"{key} = {json.dumps(value, default=str)}: {message}"


def _unknown(where: list[str], section: type[BaseModel]) -> str:
    """An unknown key, what is allowed beside it, and the nearest of these; ``section`` is the family's or the top."""
    for part in where[:-1] if section is Experiment else ():
        kind = section.model_fields[part].annotation
        section = next(k for k in (kind, *get_args(kind)) if isinstance(k, type) and issubclass(k, BaseModel))
    allowed = sorted(section.model_fields)
    near = difflib.get_close_matches(where[-1], allowed, n=1)
    hint = f"did you mean {near[0]}? " if near else ""
    return f"{'.'.join(where)} is not a known key; {hint}allowed: {', '.join(allowed)}"
