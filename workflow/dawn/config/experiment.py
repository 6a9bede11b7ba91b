"""One experiment: params.yaml merged with a preset and single settings, checked before any job runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import yaml
from pydantic import ValidationError, create_model, model_validator

from dawn.config import registry
from dawn.config.errors import explain
from dawn.config.sections import Data, Run, Submission
from dawn.config.task import Task
from dawn.config.types import Seeds, Settings
from dawn.config.yaml_text import LONGEST, parse
from dawn.core.cli import InputError
from dawn.core.files import open_plain


class Experiment(Settings):
    """All settings of one experiment, checked: these sections, and those that the tasks declare."""

    task: str = registry.TASKS[0]
    """What is trained; the packages of dawn/tasks."""
    seeds: Seeds
    """A training for each; a single number n is short for 0 to n - 1."""
    data: Data
    run: Run = Run()
    submission: Submission = Submission()

    if TYPE_CHECKING:

        def __getattr__(self, name: str) -> Any:
            """A section of a task."""

    @model_validator(mode="after")
    def _check(self) -> "Experiment":
        self.declared.check(self)
        return self

    @property
    def declared(self) -> Task:
        """What the task declares of itself."""
        return registry.task(self.task)

    @property
    def trained_by(self) -> tuple[str, ...]:
        """The sections that decide the weights of a seed."""
        return self.declared.trained_by

    @property
    def decided_by(self) -> tuple[str, ...]:
        """The sections that decide the result of a seed: its weights and their evaluation."""
        return self.trained_by + self.evaluated_by

    @property
    def evaluated_by(self) -> tuple[str, ...]:
        """The sections that decide what an evaluation makes of the weights."""
        evaluated = self.has_judges or not self.declared.judges_decide
        return self.declared.evaluated_by if evaluated else ()

    @property
    def has_judges(self) -> bool:
        """Whether trained classifiers measure the result."""
        return self.declared.needs_judges(self)

    @property
    def main(self) -> Any:
        """The section with the epochs and the batch of the training."""
        return getattr(self, self.declared.main)

    def text(self, *sections: str) -> str:
        """Return the named sections as canonical JSON: equal texts mean equal settings."""
        return json.dumps(self.model_dump(mode="json", include=set(sections)), sort_keys=True, separators=(",", ":"))


def _complete() -> type[Experiment]:
    """The experiment with the sections of all tasks."""
    sections: dict[str, Any] = {"task": (Literal[registry.TASKS], registry.TASKS[0])}
    for name in registry.TASKS:
        sections |= registry.task(name).sections
    return create_model("Experiment", __base__=Experiment, __module__=__name__, __doc__=Experiment.__doc__, **sections)


COMPLETE = _complete()
COMPLETE.__qualname__ = "COMPLETE"  # where pickle finds it


def load(path: Path) -> Experiment:
    """Read and check the experiment in a YAML or JSON file."""
    return check(read(path), str(path))


def dump(experiment: Experiment) -> str:
    """Return the experiment as YAML, with all defaults filled in."""
    return yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, width=100)


def read(path: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file, unchecked."""
    with open_plain(path) as file:
        content = file.read(4 * LONGEST + 1)
    try:
        values = parse(content.decode("utf-8"), str(path))
    except UnicodeDecodeError as error:
        raise InputError(f"{path} is not YAML: {' '.join(str(error).split())}") from error
    if not isinstance(values, dict):
        raise InputError(
            f"{path} contains {type(values).__name__}, not a mapping of sections such as data, model, train"
        )
    return values


def merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``base`` with the settings of ``over`` in it, section by section; lists are replaced.

    Another ``model.family`` discards the settings of the family in ``base``. The string "null" becomes None, because
    Snakemake's --config passes all values as strings and pydantic does not convert this one.
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


def nested(key: str, value: Any) -> dict[str, Any]:
    """A value under a dotted key as nested mappings: ``flat`` of the result is ``{key: value}``."""
    for part in reversed(key.split(".")):
        value = {part: value}
    mappings: dict[str, Any] = value
    return mappings


def expanded(values: Mapping[str, Any]) -> dict[str, Any]:
    """Settings with dotted keys as nested mappings; an InputError for one that is there by both notations."""
    whole: dict[str, Any] = {}
    for key, value in values.items():
        first, dot, rest = str(key).partition(".")
        below = {rest: value} if dot else value
        _put(whole, first, expanded(below) if isinstance(below, Mapping) else below, first)
    return whole


def _put(section: dict[str, Any], key: str, value: Any, path: str) -> None:
    """Put a value into a section, beneath what is there by another notation of its key."""
    if key not in section:
        section[key] = value
    elif isinstance(section[key], dict) and isinstance(value, dict):
        for name, below in value.items():
            _put(section[key], name, below, f"{path}.{name}")
    else:
        raise InputError(f"{path} is given twice, by a dotted key and in its section; give it once")


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of nested mappings by their dotted keys, in order: ``train.schedule.peak``."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        leaves |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return leaves


def check(values: Mapping[str, Any], source: str = "params") -> Experiment:
    """Return the experiment that a mapping describes, or raise InputError with all its faults."""
    try:
        return COMPLETE.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{source}: {explain(error, COMPLETE)}") from error
