"""A search: the settings that are searched, where, with how many trials, and the experiment of any trial."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field, StrictStr, ValidationError, model_validator

from dawn.config.errors import explain
from dawn.config.experiment import Experiment, check, merge, nested, read
from dawn.config.presets import with_preset
from dawn.config.records import Record
from dawn.config.types import MOST_SEEDS, Positive, Seed, Settings
from dawn.core.cli import InputError
from dawn.core.reading import read_json
from dawn.core.secrets import hide

SECTIONS = ("model", "train")  # what decides the weights, apart from the data and the seed


class Values(Settings):
    """The values that one setting may take: ``choices``, or the range from ``low`` to ``high``."""

    choices: tuple[Any, ...] = ()
    """Any values, such as true and false, words or lists."""
    low: float | None = None
    """Smallest number."""
    high: float | None = None
    """Largest number."""
    log: bool = False
    """Draw from the range on a logarithmic scale."""
    integer: bool = False
    """Draw whole numbers."""

    @model_validator(mode="after")
    def _check(self) -> "Values":
        if bool(self.choices) == (self.low is not None or self.high is not None):
            raise ValueError("give choices: [...], or low and high")
        if self.choices and len({json.dumps(value) for value in self.choices}) < 2:
            raise ValueError(f"choices = {list(self.choices)} must be two different values or more")
        if self.choices:
            return self
        if self.low is None or self.high is None or self.low >= self.high:
            raise ValueError(f"low = {self.low} must be below high = {self.high}")
        if self.log and self.low <= 0:
            raise ValueError(f"low = {self.low} must be above 0 on a logarithmic scale")
        if self.integer and (self.low != int(self.low) or self.high != int(self.high)):
            raise ValueError(f"low = {self.low} and high = {self.high} must be whole numbers with integer: true")
        return self

    @property
    def ends(self) -> list[Any]:
        """Every choice, or both ends of the range."""
        if self.choices:
            return list(self.choices)
        assert self.low is not None and self.high is not None
        return [int(self.low), int(self.high)] if self.integer else [self.low, self.high]

    def contains(self, value: Any) -> bool:
        """Return whether the setting may take this value."""
        if self.choices:
            return json.dumps(value) in [json.dumps(choice) for choice in self.choices]
        number = isinstance(value, int | float) and not isinstance(value, bool)
        return bool(number and self.ends[0] <= value <= self.ends[1] and (not self.integer or value == int(value)))


class Budget(Settings):
    """Epochs of the trials: all for ``first`` epochs, one in ``factor`` of them for ``factor`` times that."""

    first: Positive
    """Epochs of every trial."""
    most: Positive
    """Epochs of the last trials, and of the study that tests the winner."""
    factor: Annotated[int, Field(ge=2, le=1000)] = 3
    """One trial in so many goes on."""

    @model_validator(mode="after")
    def _check(self) -> "Budget":
        if self.first > self.most:
            raise ValueError(f"first = {self.first:g} must not be above most = {self.most:g}")
        return self

    @property
    def rungs(self) -> tuple[float, ...]:
        """The epochs of each rung."""
        below, epochs = [], self.first
        while epochs < self.most * (1 - 1e-9):
            below.append(epochs)
            epochs *= self.factor
        return (*below, self.most)


class Search(Settings):
    """The settings in a file of workflow/searches."""

    question: Annotated[str, Field(min_length=1)]
    """The question, which is the title of the page."""
    base: Annotated[str, Field(pattern="^[A-Za-z0-9_-]+$")] | None = None
    """Preset that all trials start from; null: params.yaml."""
    settings: dict[str, Any] = Field(default={})
    """Settings of all trials, merged with the preset."""
    space: Annotated[dict[str, Values], Field(min_length=1)]
    """Dotted keys of model and train, and the values of each."""
    trials: Annotated[int, Field(ge=2, le=10_000)]
    """New trials in each round."""
    rounds: Annotated[int, Field(ge=1, le=100)] = 2
    """The first round covers the space evenly; each later one is proposed from the results of those before it."""
    epochs: Budget
    """Epochs of the trials."""
    seed: Seed = 0
    """Seed of every training and of the proposals."""
    difference: Positive = 0.2
    """Difference that matters, in percentage points of accuracy, for the study of the winner."""
    spread: Positive
    """Expected standard deviation of the accuracy over seeds, from which the study's number of seeds follows."""
    most_seeds: Annotated[int, Field(ge=1, le=MOST_SEEDS)] = 100
    """Largest number of seeds of that study."""

    @model_validator(mode="after")
    def _check(self) -> "Search":
        for key in self.space:
            if key.split(".")[0] not in SECTIONS or key == "train.epochs" or "." not in key:
                raise ValueError(
                    f"space: {key} cannot be searched; name settings of {' and '.join(SECTIONS)}, such as "
                    "train.schedule.peak, but not train.epochs, which the trials of a rung have in common"
                )
        return self


def load(path: Path) -> Search:
    """Read and check the search in a file."""
    try:
        return Search.model_validate(read(path))
    except ValidationError as error:
        raise InputError(f"{path}: {explain(error, Search)}") from error


BASE = 0  # number of the trial that has the settings of the base


class SearchFile(Record):
    """search.json: a search with the settings of its base."""

    name: StrictStr
    search: Search
    values: dict[str, Any]


@dataclass(frozen=True)
class SearchPlan:
    """A search and the settings of its base, unchecked, as a mapping."""

    name: str
    search: Search
    values: dict[str, Any]

    @property
    def directory(self) -> str:
        """The directory of its results."""
        return f"results/searches/{self.name}"

    @property
    def text(self) -> str:
        """The plan as JSON, from which ``stored`` reads it."""
        about = {"name": self.name, "search": self.search.model_dump(mode="json"), "values": self.values}
        return hide(json.dumps(about, ensure_ascii=False, separators=(",", ":")), self.base.data.sources)

    @property
    def counts(self) -> tuple[int, ...]:
        """The new trials that are trained at each rung."""
        factor = self.search.epochs.factor
        return tuple(max(1, self.search.trials // factor**rung) for rung in range(len(self.search.epochs.rungs)))

    @property
    def rungs(self) -> list[tuple[int, int]]:
        """Every rung of every round in the order of the search, as the numbers of its round and of the rung."""
        return [(round, rung) for round in range(self.search.rounds) for rung in range(len(self.counts))]

    def before(self, round: int, rung: int) -> list[tuple[int, int]]:
        """The rung before, whose results a rung is chosen by, in a list; none before the first."""
        place = self.rungs.index((round, rung))
        return self.rungs[max(0, place - 1) : place]

    @property
    def outlook(self) -> str:
        """What the search trains at most, in words: the trials of all rounds, and the base."""
        rounds, pairs = self.search.rounds, list(zip(self.counts, self.search.epochs.rungs, strict=True))
        trainings = sum(rounds * count + 1 for count, _ in pairs)
        epochs = sum((rounds * count + 1) * epochs for count, epochs in pairs)
        rungs = ", ".join(f"{count} of {epochs:g} epochs" for count, epochs in pairs)
        return (
            f"search {self.name}: {rounds} round{'s' * (rounds > 1)} of {rungs}, and the base; at most {trainings} "
            f"trainings, {epochs:g} epochs in all"
        )

    @cached_property
    def base(self) -> Experiment:
        """The experiment of the base with the epochs of the last rung."""
        return self.experiment({}, len(self.counts) - 1)

    def experiment(self, settings: Mapping[str, Any], rung: int) -> Experiment:
        """The experiment of a trial with these settings, by dotted keys; an InputError if they do not go together."""
        values = dict(self.values)
        for key, value in settings.items():
            values = merge(values, nested(key, value))
        values = merge(values, {"seeds": [self.search.seed], "train": {"epochs": self.search.epochs.rungs[rung]}})
        return check(values, f"search {self.name}, {json.dumps(settings)}" if settings else f"search {self.name}")


def plan(path: Path, params: Path, presets: Path, over: Mapping[str, Any]) -> SearchPlan:
    """Merge params.yaml, the preset, the settings and ``over`` (the command line), and check both ends of the space."""
    search = load(path)
    values = with_preset(params, presets, search.base, f"{path}: base")
    complete = SearchPlan(path.stem, search, merge(merge(values, search.settings), over))
    _check(path, complete)
    return complete


def stored(directory: Path) -> SearchPlan:
    """The plan in search.json of a search's directory."""
    path = directory / "search.json"
    about = read_json(path, SearchFile)
    complete = SearchPlan(about["name"], Search.model_validate(about["search"]), about["values"])
    _check(path, complete)
    return complete


def _check(path: Path, complete: SearchPlan) -> None:
    """Refuse a search on the test split, of a GAN, or of a value that no experiment can have."""
    base = complete.base
    if "accuracy" not in base.declared.deciding:
        raise InputError(f"{path}: task = {base.task}: a search compares accuracies, which only task: classify has")
    if not base.data.holdout:
        raise InputError(f"{path}: data.holdout = 0: a search never uses the test split; set data.holdout to a number "
                         "of images, such as 5000")  # fmt: skip
    for key, values in complete.search.space.items():
        for value in values.ends:
            complete.experiment({key: value}, 0)
