"""The measures of a GAN as pages and figures show them: names, digits, meaning, and values over the seeds."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from dawn.report.figures.references import Panel
from dawn.results.statistics import Scale, spread

Evaluations = Sequence[Mapping[str, Any]]  # evaluation.json of each seed
REFERENCES = {  # sets of images that are no samples: key of evaluation.json, name
    "floor": "real images",  # one half of test against the other; what needs no second set: all of test
    "test": "real images",
    "copier": "copier of train",
    "blur": "blurred train",
    "one_class": "one class",
    "noise": "noise",
}
PERIODS = {"x2": "horizontal, 2 pixels", "x4": "horizontal, 4 pixels", "y2": "vertical, 2 pixels",
           "y4": "vertical, 4 pixels"}  # fmt: skip


@dataclass(frozen=True)
class Measure:
    """How a measure is shown. ``log``: whether its values differ by orders of magnitude."""

    name: str
    digits: int
    better: str
    scale: Scale
    log: bool = False


def distance(name: str, digits: int, scale: Scale) -> Measure:
    """A distance to the test images."""
    return Measure(name, digits, "lower", scale, True)


MEASURES = {
    "kid": distance("KID-judge", 4, "any"),
    "kid_middle": distance("KID-judge, middle layer", 4, "any"),
    "kid_random": distance("KID-judge, untrained network", 4, "any"),
    "fd": distance("FD-judge", 2, "positive"),
    "fd_middle": distance("FD-judge, middle layer", 2, "positive"),
    "fd_random": distance("FD-judge, untrained network", 2, "positive"),
    "precision": Measure("precision", 3, "higher", "fraction"),
    "recall": Measure("recall", 3, "higher", "fraction"),
    "density": Measure("density", 3, "higher", "positive"),
    "coverage": Measure("coverage", 3, "higher", "fraction"),
    "class_accuracy": Measure("class accuracy", 3, "higher", "fraction"),
    "cas": Measure("classification accuracy score (CAS)", 3, "higher", "fraction"),
    "entropy": Measure("entropy of the classes, nats", 3, "higher", "any"),
    "total_variation": Measure("distance from uniform classes", 3, "lower", "any"),
    "c_t": Measure("copying, C_T", 1, "not far below 0", "any"),
    "copied": Measure("copies, %", 2, "0", "any"),
    "copied_middle": Measure("copies, %, middle layer", 2, "0", "any"),
    "critic_gap": Measure("critic gap", 3, "0", "any"),
    "checkerboard": Measure("checkerboard, dB", 2, "0", "any"),
    **{f"checkerboard_{key}": Measure(f"checkerboard, {name}, dB", 2, "0", "any") for key, name in PERIODS.items()},
}


def measured(evaluations: Evaluations) -> dict[str, Measure]:
    """The measures that every seed has, in the order of a page."""
    return {key: measure for key, measure in MEASURES.items() if all(key in e["measures"] for e in evaluations)}


def over_seeds(evaluations: Evaluations, key: str) -> dict[str, float | None]:
    """Mean, std and 95 % interval of the mean over the seeds; of a single seed its interval over the images.

    Where a seed is at the limit of a scale, which has no logit or logarithm, the interval is Student's, cut there.
    """
    entries = [evaluation["measures"][key] for evaluation in evaluations]
    values = [float(entry["value"]) for entry in entries]
    scale = MEASURES[key].scale
    least = -math.inf if scale == "any" else 0.0
    most = 1.0 if scale == "fraction" else math.inf
    found = spread(values, scale if least < min(values) and max(values) < most else "any")
    if len(entries) == 1:
        return found | {name: entries[0].get(name) for name in ("low", "high")}
    cut = {
        name: end if end is None else min(max(end, least), most) for name in ("low", "high") for end in [found[name]]
    }
    return found | cut


def reference(evaluations: Evaluations, key: str) -> dict[str, float]:
    """What the sets that are no samples score, by name; the same for all seeds."""
    known = evaluations[0]["measures"][key].get("references", {})
    found = {name: known[which]["value"] for which, name in reversed(REFERENCES.items()) if which in known}
    return {name: float(found[name]) for name in dict.fromkeys(REFERENCES.values()) if name in found}


def panels(evaluations: Evaluations) -> list[Panel]:
    """A panel of the figure for each measure."""
    found = []
    for key, measure in measured(evaluations).items():
        values = [float(evaluation["measures"][key]["value"]) for evaluation in evaluations]
        low, high = (over_seeds(evaluations, key)[name] for name in ("low", "high"))
        interval = None if low is None or high is None else (low, high)
        found.append(Panel(measure.name, values, interval, reference(evaluations, key), measure.log))
    return found


def over_judges(evaluation: Mapping[str, Any]) -> str:
    """How many images and judges the measures are of."""
    images, judges = evaluation["images"], len(evaluation["judges"])
    mean = f"Means over {judges} judges. " if judges > 1 else "One judge. "
    return f"{mean}{images['samples']:,} samples of each seed against {images['test']:,} test images."
