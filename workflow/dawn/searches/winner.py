"""The study that tests the winner of a search against its base, on the test split, with seeds that are new to both."""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from dawn.config import place
from dawn.config.experiment import merge, nested
from dawn.config.search import SearchPlan
from dawn.core.cli import InputError
from dawn.core.host import working_in
from dawn.core.secrets import redacted
from dawn.searches.trials import Trial
from dawn.studies.power import TTest, seeds_needed

HEAD = """\
# The winner of the search {name} against its base, written by the search. The seeds are new to both, and the test split
# was not used before: {command}
"""


def study_file(plan: SearchPlan) -> str:
    """The path of the study."""
    return f"{plan.directory}/{plan.name}-winner.yaml"


def command(plan: SearchPlan) -> str:
    """The command line that trains the study, from where snakemake was called for the search."""
    here = Path(working_in())
    return place.command("study", here.name, chosen=[f"study={here / study_file(plan)}"])


def seeds(plan: SearchPlan, settings: dict[str, Any]) -> int:
    """Seeds a variant that detect the difference that matters four times in five; they are paired if batches agree."""
    search, last = plan.search, len(plan.counts) - 1
    paired = plan.base.train.batch == plan.experiment(settings, last).train.batch
    needed = seeds_needed(search.spread * math.sqrt(2), search.difference, TTest(paired))
    if needed is None or needed > search.most_seeds:
        raise InputError(
            f"search {plan.name}: at a spread of {search.spread:g} the winner's study needs {needed or 'over 10,000'} "
            f"seeds a variant to detect {search.difference:g} points; raise difference or most_seeds"
        )
    return needed


def study(plan: SearchPlan, winner: Trial) -> str:
    """The study as YAML. It trains on the same images as the search, so no array is made again."""
    search, over = plan.search, dict[str, Any]()
    for key, value in winner.settings.items():
        over = merge(over, nested(key, value))
    settings = merge(plan.values, {"train": {"epochs": search.epochs.most}})
    settings.pop("seeds", None)
    settings["data"] = settings["data"] | {"urls": [redacted(source) for source in plan.base.data.sources]}
    first = search.seed + 1
    values = {
        "question": f"Is the winner of the search {plan.name} better than its base?",
        "seeds": list(range(first, first + seeds(plan, winner.settings))),
        "difference": search.difference,
        "spread": search.spread,
        "settings": settings,
        "variants": {"base": {}, winner.name: over},
    }
    text = yaml.safe_dump(values, sort_keys=False, allow_unicode=True, width=110)
    return HEAD.format(name=plan.name, command=command(plan)) + text


def optimism(counts: Sequence[int], rounds: int, persistent: bool) -> float:
    """Simulate by how much the winner's last accuracy exceeds its true one if no trial is better, in spreads.

    Simulated searches: ``rounds`` of successive halving with ``counts`` trials at each rung. The chance in an accuracy
    is new in each training, or, ``persistent``, stays with the settings, since all trials share their seed and the
    held-out images: the two ends of what it can be.
    """
    searches = min(20_000, max(200, 2_000_000 // counts[0]))
    rng, best = np.random.default_rng(0), np.full(searches, -np.inf)
    for _ in range(rounds):
        accuracies = rng.standard_normal((searches, counts[0]))
        for count in counts[1:]:
            kept = np.partition(accuracies, accuracies.shape[1] - count, 1)[:, -count:]
            accuracies = kept if persistent else rng.standard_normal((searches, count))
        best = np.maximum(best, accuracies.max(1))
    return float(best.mean())
