"""What a study will take before it starts: seconds of each variant, with a range. Imports no torch.

Finished seeds say what one more takes; before there is one, the times of dawn.timing do. Counted are the clock, what is
excluded from it, the final evaluation and the start of two processes.
"""

import math
import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dawn.config.experiment import Experiment
from dawn.config.plan import Plan
from dawn.core.reading import read_json
from dawn.studies.variants import finished

CIFAR10 = {"train": 50_000, "test": 10_000}  # images, where the data is not unpacked yet
VIEWS = {"none": 1, "mirror": 2, "six": 6, "six_equal": 6}
STARTS = (4.0, 20.0)  # seconds a seed: two processes that import torch and load the data, and Snakemake between them
COMPILING = (10.0, 120.0)  # seconds of torch.compile or of capturing a CUDA graph
DRIFT = (0.8, 1.7)  # the speed of a machine within an hour over that at the moment; docs/results.md has measured 1.7

Span = tuple[float, float]  # lowest and highest


@dataclass(frozen=True)
class Estimate:
    """Of one variant: seeds to train, at least and at most, and seconds of each; None where nothing was measured."""

    name: str
    left: tuple[int, int]
    seconds: Span | None
    source: str


def spent(seed: Path) -> float:
    """Seconds that a finished seed took, those of its evaluation included, without process starts."""
    training, evaluation = (read_json(seed / name) for name in ("metrics.json", "evaluation.json"))
    evaluated = evaluation["seconds"]  # of a GAN by phase
    evaluated = sum(evaluated.values()) if isinstance(evaluated, Mapping) else evaluated
    return float(training["seconds"] + sum(training["seconds_untimed"].values()) + evaluated)


def predicted(timing: Mapping[str, Any], experiment: Experiment, counts: Mapping[str, int]) -> Span | None:
    """Seconds of one seed by the times of a step and of a forward pass, on one device."""
    train = experiment.train
    first = timing["rows"][0]
    own = {r["work"]: r for r in timing["rows"] if (r["precision"], r["batch"]) == (first["precision"], train.batch)}
    if set(own) < {"forward", "step"}:
        return None
    steps = relative_pixels(experiment) * math.ceil(train.epochs * (counts["train"] // train.batch))
    monitored = counts["holdout"] if experiment.data.holdout and "holdout" in counts else counts["test"]
    views = 1 + (VIEWS[experiment.evaluate.tta] - 1) * experiment.evaluate.tta_fraction
    images = math.ceil(train.epochs / train.monitor_every) * monitored + views * counts["test"]
    compiling = COMPILING if train.compile or train.cuda_graph else (0.0, 0.0)
    low, high = (
        drift * (steps * own["step"][end] + images * own["forward"][end] / train.batch) + once
        for end, drift, once in zip(("low", "high"), DRIFT, compiling, strict=True)
    )
    return low, high


def relative_pixels(experiment: Experiment) -> float:
    """Pixels of all steps, over those of as many steps at the last image size, which is the one that was timed."""
    sizes: tuple[tuple[float, int], ...] = experiment.train.sizes or ((0.0, 32),)
    ends = [start for start, _ in sizes[1:]] + [1.0]
    return sum((end - start) * (size / sizes[-1][1]) ** 2 for (start, size), end in zip(sizes, ends, strict=True))


def estimate(plan: Plan, data: Path) -> list[Estimate]:
    """An estimate for each variant, from the results and times that are there."""
    dataset = data / "dataset.json"
    hold = plan.shared.data.holdout
    counts = read_json(dataset)["counts"] if dataset.exists() else CIFAR10 | {"train": 50_000 - hold, "holdout": hold}
    found = []
    for slug, variant in plan.variants.items():
        run = Path(plan.directory, slug)
        done, timing = finished(run, variant.experiment), run / "timing.json"
        left = max(0, plan.counts[0] - len(done)), max(0, plan.counts[-1] - len(done))
        seconds: Span | None = None
        source = "not timed"
        if done:
            seconds, source = _by_seeds([spent(seed) for seed in done]), f"by {len(done)} trained"
        elif timing.exists():
            times = read_json(timing)
            seconds, source = predicted(times, variant.experiment, counts), f"timed on {times['device']}"
        total = None if seconds is None else (seconds[0] + STARTS[0], seconds[1] + STARTS[1])
        found.append(Estimate(variant.name, left, total, source))
    return found


def _by_seeds(seconds: list[float]) -> Span:
    """One more seed by those that are finished: as far from their mean as the speed drifts, and they were."""
    mean = statistics.fmean(seconds)
    return min(DRIFT[0] * mean, *seconds), max(DRIFT[1] * mean, *seconds)
