"""What is remembered of the studies of some results: the experiments that were seen, and what was compared.

An experiment is known by the checksum of the settings that decide its result, so that neither its name nor the source
of its data matters. A comparison belongs to one group for ever, at the level that it had when it was first made.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from dawn.config import registry
from dawn.core.reading import Number, Seed
from dawn.studies.comparisons import two_sides
from dawn.studies.variants import SOURCE

Kind = Literal["planned", "new", "pair", "contrast", "untested"]
Identity = tuple[tuple[str, float], ...]
FROZEN = ConfigDict(frozen=True, extra="forbid")


def checksum(sections: Mapping[str, Any]) -> str:
    """Return the checksum of settings by their sections; the source of the data does not count."""
    data = {key: value for key, value in sections["data"].items() if key not in SOURCE}
    text = json.dumps({**sections, "data": data}, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


class Quantity(BaseModel):
    """A measure, the images that it is of, and what a training may spend, if it is limited."""

    model_config = FROZEN

    measure: str
    split: str = "test"
    seconds: float | None = None
    flops: float | None = None

    @classmethod
    def of(cls, about: Mapping[str, Any]) -> "Quantity":
        """Return the quantity of a study.json; older ones have neither split nor budget."""
        budget = about.get("budget") or {}
        return cls(measure=about["measure"], split=about.get("split") or "test", **budget)

    @property
    def key(self) -> str:
        """Its name in the file."""
        return " ".join([self.measure, self.split, *(f"{v:g}" for v in (self.seconds, self.flops) if v is not None)])


def quantities(task: str) -> tuple[Quantity, ...]:
    """Return what the pages of a task show: its measures, and those of the curves on the hold-out."""
    measures = registry.task(task).deciding.values()
    by_epoch = (Quantity(measure=m.key, split="holdout") for m in measures if m.by_epoch)
    return (*(Quantity(measure=m.key) for m in measures), *by_epoch)


class KnownBy(BaseModel):
    """The file that a study has of the history that knows it."""

    id: str


class OldEntry(BaseModel):
    """A look at a study in the file of an older version, which had the whole history there."""

    measure: str
    seeds: list[Seed]
    analyses: list[Seed]
    difference: Number
    test: str
    variants: dict[str, str]
    comparisons: list[list[str]]

    @model_validator(mode="after")
    def _known(self) -> "OldEntry":
        """Refuse a comparison of something that is no variant."""
        if unknown := {slug for slugs in self.comparisons for slug in slugs} - self.variants.keys():
            raise ValueError(f"a comparison is of {sorted(unknown)[0]!r}, which is no variant")
        return self


class Contrast(BaseModel):
    """A comparison: the names of both sides, and the weight of each experiment."""

    model_config = FROZEN

    name: str
    base: str
    weights: dict[str, float]

    @property
    def identity(self) -> Identity:
        """The same for a comparison and for its reverse, whatever the names."""
        rows = sorted((key, round(weight, 9)) for key, weight in self.weights.items())
        sign = 1.0 if rows[0][1] > 0 else -1.0
        return tuple((key, sign * weight) for key, weight in rows)

    @property
    def pair(self) -> tuple[str, str] | None:
        """The experiment that is the base and the other one; None for a contrast of more than two."""
        return two_sides(self.weights)


class Seen(BaseModel):
    """An experiment of which a result was shown.

    trained  checksum of the settings that decide its weights; None where it is not known
    batches  checksum of what decides the batches of a seed: equal ones are compared seed by seed
    stage    0 if it was planned before any result; else the how-manieth addition to them it came with
    seeds    those that were shown, in the order in which they first were
    values   of each quantity that was compared, by seed
    """

    model_config = FROZEN

    name: str
    trained: str | None = None
    batches: str | None = None
    stage: int = 0
    seeds: list[int] = []
    values: dict[str, dict[int, float]] = {}


class Group(BaseModel):
    """Comparisons that were first made together, and share a level.

    kind       planned: before any result of their experiments was shown; all others are described in
               ``dawn.studies.allocation``
    study      in which they were first made, and on which day (``when``)
    level      chance of any false better or worse among them
    size       comparisons that share it: these, and those that could have been chosen in place of them
    seeds      planned at that time, likewise ``analyses``; empty where no plan was followed before
    """

    model_config = FROZEN

    kind: Kind
    study: str
    when: str
    level: float
    size: int
    quantity: Quantity
    seeds: list[int]
    analyses: list[int]
    difference: float
    test: str
    comparisons: list[Contrast]

    @property
    def experiments(self) -> set[str]:
        """All experiments in it."""
        return {key for comparison in self.comparisons for key in comparison.weights}

    @property
    def base(self) -> str | None:
        """The experiment that all others are compared with; None where there is no such one."""
        bases = {None if comparison.pair is None else comparison.pair[0] for comparison in self.comparisons}
        return bases.pop() if len(bases) == 1 else None


class Unknown(BaseModel):
    """A study that had verdicts which the history did not know: it was deleted, or the study is from elsewhere."""

    model_config = FROZEN

    study: str
    when: str
    experiments: list[str]


class History(BaseModel):
    """All that is remembered.

    id        of this file, which studies note, so that they know whether it was replaced
    since     the day of its first entry
    imported  the studies whose own history, of older versions, is in it
    """

    model_config = FROZEN

    id: str
    since: str
    experiments: dict[str, Seen] = {}
    groups: list[Group] = []
    unknown: list[Unknown] = []
    imported: list[str] = []

    @property
    def places(self) -> dict[tuple[Identity, Quantity], int]:
        """The place of the group of each comparison."""
        return {(c.identity, g.quantity): i for i, g in enumerate(self.groups) for c in g.comparisons}

    def seen(self, key: str, trained: str | None = None) -> bool:
        """Return whether a result of an experiment was shown, or of the same training evaluated in another way."""
        if (known := self.experiments.get(key)) is not None and known.seeds:
            return True
        return trained is not None and any(e.trained == trained and e.seeds for e in self.experiments.values())

    def component(self, experiments: Mapping[str, str | None]) -> set[str]:
        """Return the experiments that comparisons connect with these (keys, and checksums of their training)."""
        trained = set(experiments.values()) - {None}
        linked = {key for key, e in self.experiments.items() if key in experiments or e.trained in trained}
        while True:
            same = {e.trained for key, e in self.experiments.items() if key in linked} - {None}
            compared = [g.experiments for g in self.groups if g.experiments & linked]
            more = linked.union(*compared, (key for key, e in self.experiments.items() if e.trained in same))
            if more == linked:
                return linked
            linked = more
