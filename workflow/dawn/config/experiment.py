"""One experiment: params.yaml merged with a preset and single settings, checked before any job runs."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import BaseModel, ValidationError, model_validator

from dawn.config.cycle import Cycle
from dawn.config.domains import Domains
from dawn.config.errors import explain
from dawn.config.gan import Gan, check_size
from dawn.config.measures import Judge, Measures
from dawn.config.model import Model
from dawn.config.parts import Augment
from dawn.config.sections import Data, Evaluate, LrFind, Run, Submission, Timing
from dawn.config.train import Train
from dawn.config.types import STRICT, Seeds
from dawn.core.cli import InputError

TRAINED_BY = {"classify": ("data", "model", "train"), "gan": ("data", "gan"), "cycle": ("data", "domains", "cycle")}
EVALUATED_BY = {"classify": ("evaluate",), "gan": ("judge", "measures"), "cycle": ("judge",)}


class Experiment(BaseModel):
    """All settings of one experiment, checked."""

    model_config = STRICT

    task: Literal["classify", "gan", "cycle"] = "classify"
    """What is trained: a classifier (sections model, train, evaluate), a GAN (sections gan, judge, measures), or a
    CycleGAN (sections domains, cycle, judge)."""
    seeds: Seeds
    """A training for each; a single number n is short for 0 to n - 1."""
    data: Data
    model: Model
    train: Train
    evaluate: Evaluate = Evaluate()
    gan: Gan = Gan()
    judge: Judge = Judge()
    measures: Measures = Measures()
    domains: Domains = Domains()
    cycle: Cycle = Cycle()
    lr_find: LrFind = LrFind()
    timing: Timing = Timing()
    run: Run = Run()
    submission: Submission = Submission()

    @model_validator(mode="after")
    def _check(self) -> "Experiment":
        if self.task == "gan":
            self._check_gan()
        elif self.task == "cycle":
            self._check_cycle()
        else:
            self._check_classifier()
        return self

    def _check_classifier(self) -> None:
        """Raise ValueError for settings that do not fit together in a classifier."""
        smallest = min((size for _, size in self.train.sizes), default=self.data.side)
        if fault := self.train.augment.beyond(smallest):
            raise ValueError(fault)
        if isinstance(self.run.processes, int):
            check_divisible(self.train, self.run.processes * self.run.nodes)

    def _check_gan(self) -> None:
        """Raise ValueError for settings that do not fit together in a GAN."""
        if isinstance(self.run.processes, int) and self.gan.batch % (processes := self.run.processes * self.run.nodes):
            raise ValueError(f"gan.batch {self.gan.batch} is not divisible by {processes} processes")
        if self.data.size is not None:
            check_size(self.data.size)
        if self.judge.preset is None:
            raise ValueError("judge.preset null: the samples of a GAN need a judge, such as preset judge")
        if self.measures.cas and not self.gan.conditional:
            raise ValueError(
                "measures.cas trains a classifier on samples of known classes; set gan.conditional to true"
            )

    def _check_cycle(self) -> None:
        """Raise ValueError for settings that do not fit together in a CycleGAN."""
        processes = self.run.processes
        if isinstance(processes, int) and self.cycle.batch % (processes := processes * self.run.nodes):
            raise ValueError(f"cycle.batch {self.cycle.batch} is not divisible by {processes} processes")
        if fault := Augment(pad=self.cycle.pad).beyond(self.data.side, "cycle"):
            raise ValueError(fault)
        if self.cycle.pairs and not self.domains.paired:
            raise ValueError(f"cycle.pairs needs a truth, which domains.kind {self.domains.kind} does not have")

    @property
    def trained_by(self) -> tuple[str, ...]:
        """The sections that decide the weights of a seed."""
        return TRAINED_BY[self.task]

    @property
    def decided_by(self) -> tuple[str, ...]:
        """The sections that decide the result of a seed: its weights and their evaluation."""
        return self.trained_by + (EVALUATED_BY[self.task] if self.task == "classify" or self.has_judges else ())

    @property
    def has_judges(self) -> bool:
        """Whether trained classifiers measure the result: that of a CycleGAN where no truth is known."""
        truth = self.task == "cycle" and self.domains.paired
        return self.task != "classify" and self.judge.preset is not None and not truth

    def text(self, *sections: str) -> str:
        """Return the named sections as canonical JSON: equal texts mean equal settings."""
        return json.dumps(self.model_dump(mode="json", include=set(sections)), sort_keys=True, separators=(",", ":"))


def check_divisible(train: Train, processes: int) -> None:
    """Raise ValueError unless the batch splits evenly over processes and micro-batches."""
    if train.batch % (processes * train.accumulate):
        raise ValueError(
            f"train.batch {train.batch} is not divisible by {processes} processes x train.accumulate {train.accumulate}"
        )


def check_world(train: Train, processes: int) -> None:
    """Raise InputError unless the batch splits evenly over the processes that run."""
    try:
        check_divisible(train, processes)
    except ValueError as error:
        raise InputError(str(error)) from error


def load(path: Path) -> Experiment:
    """Read and check the experiment in a YAML or JSON file."""
    return check(read(path), str(path))


def dump(experiment: Experiment) -> str:
    """Return the experiment as YAML, with all defaults filled in."""
    return yaml.safe_dump(experiment.model_dump(mode="json"), sort_keys=False, width=100)


def read(path: Path) -> dict[str, Any]:
    """Read the mapping in a YAML file, unchecked."""
    try:
        values = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError) as error:
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


def flat(values: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The leaves of nested mappings by their dotted keys, in order: ``train.schedule.peak``."""
    leaves: dict[str, Any] = {}
    for key, value in values.items():
        leaves |= flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return leaves


def check(values: Mapping[str, Any], source: str = "params") -> Experiment:
    """Return the experiment that a mapping describes, or raise InputError with all its faults."""
    try:
        return Experiment.model_validate(values)
    except ValidationError as error:
        raise InputError(f"{source}: {explain(error, Experiment)}") from error
