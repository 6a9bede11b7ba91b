"""What a study will cost before it starts: hours and dollars, from measured times alone. Imports no torch.

A finished seed of a variant says what one more takes; before there is one, the times of dawn.timing do.
"""

import math
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import TRAINED, Experiment
from dawn.config.plan import Plan
from dawn.core.files import read_json
from dawn.results.manifest import choices, header

CIFAR10 = {"train": 50_000, "test": 10_000}  # images, where the data is not unpacked yet


@dataclass(frozen=True)
class Estimate:
    """Of one variant: trainings left, and seconds of each (None: nothing was measured), by which measure."""

    name: str
    left: int
    seconds: float | None
    source: str


def finished(run: Path, experiment: Experiment) -> dict[int, float]:
    """Seconds of each seed that was trained with these choices, what it spent beside the clock included."""
    found = {}
    for seed in experiment.seeds:
        weights, metrics = (run / f"seed-{seed}" / name for name in ("model.safetensors", "metrics.json"))
        if weights.exists() and metrics.exists():
            made = header(weights)
            if all(made.get(section) == value for section, value in choices(experiment, *TRAINED).items()):
                values = read_json(metrics)
                found[seed] = values["seconds"] + sum(values["seconds_untimed"].values())
    return found


def predicted(timing: dict[str, Any], experiment: Experiment, counts: dict[str, int]) -> float | None:
    """Seconds of one training on one device by the times of its step and of its forward pass, monitoring included."""
    train = experiment.train
    first = timing["rows"][0]
    own = {r["work"]: r for r in timing["rows"] if (r["precision"], r["batch"]) == (first["precision"], train.batch)}
    if set(own) < {"forward", "step"}:
        return None
    looks = math.ceil(train.epochs / train.monitor_every)
    watched = counts["holdout"] if experiment.data.holdout and "holdout" in counts else counts["test"]
    steps = math.ceil(train.epochs * (counts["train"] // train.batch))
    return float(steps * own["step"]["seconds"] + looks * watched / own["forward"]["images_per_s"])


def estimate(plan: Plan, data: Path) -> list[Estimate]:
    """An estimate for each variant, from the results and times that lie there."""
    dataset = data / "dataset.json"
    hold = plan.shared.data.holdout
    counts = read_json(dataset)["counts"] if dataset.exists() else CIFAR10 | {"train": 50_000 - hold, "holdout": hold}
    found = []
    for slug, variant in plan.variants.items():
        run = Path(plan.directory, slug)
        done = finished(run, variant.experiment)
        left, timing = len(variant.experiment.seeds) - len(done), run / "timing.json"
        if done:
            each = statistics.fmean(done.values())
            found.append(Estimate(variant.name, left, each, f"mean of {len(done)} trained"))
        elif timing.exists():
            times = read_json(timing)
            found.append(Estimate(variant.name, left, predicted(times, variant.experiment, counts),
                                  f"timed on {times['device']}"))  # fmt: skip
        else:
            found.append(Estimate(variant.name, left, None, "not timed"))
    return found


def told(plan: Plan, estimates: list[Estimate]) -> str:
    """The estimates in words, a line a variant, then their sum."""
    seeds, width = len(plan.shared.seeds), max(len(e.name) for e in estimates)
    total = len(estimates) * seeds
    lines = [f"study {plan.name}: {len(estimates)} variants x {seeds} seeds, {sum(e.left for e in estimates)} of "
             f"{total} trainings to do"]  # fmt: skip
    price = plan.shared.submission.cost_per_hour
    for e in estimates:
        cost = "" if e.seconds is None else f"  {duration(e.seconds):>8} each, {duration(e.seconds * e.left):>8} in all"
        lines.append(f"  {e.name:{width}}  {e.left:3} to do{cost}  ({e.source})")
    known = [e for e in estimates if e.seconds is not None]
    if not known:
        return "\n".join([*lines, "  no times yet, so no cost: snakemake study_timing --config study="
                          f"{plan.name} takes some"])  # fmt: skip
    seconds = sum(e.left * (e.seconds or 0) for e in known)
    missing = len(estimates) - len(known)
    what = f"  training: {duration(seconds)} one after the other" + (f", less {missing} not timed" if missing else "")
    dollars = "set submission.cost_per_hour for dollars"
    if price is not None:
        dollars = f"${price * seconds / 3600:,.2f} at ${price:g} an hour"
    return "\n".join([*lines, f"{what}; {dollars}"])


def duration(seconds: float) -> str:
    """Seconds, minutes or hours, whichever is read most easily."""
    for size, unit in ((3600, "h"), (60, "min")):
        if seconds >= 2 * size:
            return f"{seconds / size:.1f} {unit}"
    return f"{seconds:.0f} s"
