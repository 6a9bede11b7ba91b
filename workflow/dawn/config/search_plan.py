"""The plan of a search: its base as a complete experiment, and the experiment of any trial."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment, check, merge, nested, read
from dawn.config.search import Search, load
from dawn.core.cli import InputError
from dawn.core.reading import read_json

BASE = 0  # number of the trial that has the settings of the base


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
        return json.dumps(about, separators=(",", ":"))

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

    @property
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
    preset = presets / f"{search.base}.yaml"
    if search.base is not None and not preset.is_file():
        known = ", ".join(sorted(p.stem for p in presets.glob("*.yaml")))
        raise InputError(f"{path}: base = {search.base}: no such preset; presets: {known}")
    values = merge(read(params), read(preset)) if search.base else read(params)
    complete = SearchPlan(path.stem, search, merge(merge(values, search.settings), over))
    _check(path, complete)
    return complete


def stored(directory: Path) -> SearchPlan:
    """The plan in search.json of a search's directory."""
    about = read_json(directory / "search.json")
    return SearchPlan(about["name"], Search.model_validate(about["search"]), about["values"])


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
