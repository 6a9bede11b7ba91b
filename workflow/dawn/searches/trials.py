"""The trials of a search, as its directory has them: settings, and the hold-out accuracy at each rung."""

import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dawn.config.plan_records import Rung, TrialResult
from dawn.config.search import BASE, SearchPlan
from dawn.core.cli import InputError
from dawn.core.reading import read_json


@dataclass
class Trial:
    """One choice of settings; ``accuracies`` has a number for each rung it was trained at, None if it diverged."""

    number: int
    round: int
    settings: dict[str, Any]
    accuracies: list[float | None] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def name(self) -> str:
        """What tables and figures call it."""
        return "base" if self.number == BASE else f"trial {self.number}"

    @property
    def score(self) -> tuple[int, float]:
        """The larger, the better: the rungs it was trained at come first, then the last accuracy."""
        last = self.accuracies[-1] if self.accuracies else None
        return (0, -math.inf) if last is None else (len(self.accuracies), last)


def folder(directory: Path, round: int, rung: int, number: int) -> Path:
    """The directory of one training of a trial."""
    return directory / f"round-{round}" / f"rung-{rung}" / f"trial-{number}"


def load(plan: SearchPlan, directory: Path, rounds: int, rungs: int = 0) -> list[Trial]:
    """The trials of the first rounds, and those of the first ``rungs`` of the round after them, by their numbers."""
    by_number: dict[int, Trial] = {}
    for round, rung in [step for step in plan.rungs if step < (rounds, rungs)]:
        for proposed in read_json(directory / f"round-{round}" / f"rung-{rung}.json", Rung)["trials"]:
            number = proposed["trial"]
            trial = by_number.setdefault(number, Trial(number, round, proposed["settings"]))
            path = folder(directory, round, rung, number) / "trial.json"
            result = read_json(path, TrialResult)
            if result["cause"] != proposed["cause"]:
                raise InputError(f"{path} was trained with other settings; delete it to have it trained again")
            trial.accuracies.append(result["accuracy"])
            trial.seconds += result["seconds"]
    return [by_number[number] for number in sorted(by_number)]


def causes(rung: Path) -> dict[str, str]:
    """The settings that decide the result of each trial of a rung's file, as text, by the trial's number."""
    return {str(trial["trial"]): trial["cause"] for trial in read_json(rung, Rung)["trials"]}


def results(rung: Path) -> list[str]:
    """The results of the trials of a rung's file."""
    return [f"{rung.with_suffix('')}/trial-{number}/trial.json" for number in causes(rung)]


def winner_of(plan: SearchPlan, trials: list[Trial]) -> Trial | None:
    """The trial with the best hold-out accuracy after the last rung, the base aside; None if none was trained to it."""
    complete = [t for t in trials if t.number != BASE and t.score[0] == len(plan.counts)]
    return max(complete, key=lambda t: t.score) if complete else None
