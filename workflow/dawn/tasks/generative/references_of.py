"""The measures of a GAN as pages and figures show them: those that every seed has, their values and references."""

from collections.abc import Mapping, Sequence
from typing import Any

from dawn.config.task import Measure
from dawn.results.measures import MEASURES
from dawn.results.measures import over_seeds as over
from dawn.tasks.generative.figures.references import Panel
from dawn.tasks.generative.measures import OF_SAMPLES

Evaluations = Sequence[Mapping[str, Any]]  # evaluation.json of each seed
REFERENCES = {  # sets of images that are no samples: key of evaluation.json, name
    "floor": "real images",  # one half of test against the other; what needs no second set: all of test
    "test": "real images",
    "copier": "copier of train",
    "blur": "blurred train",
    "one_class": "one class",
    "noise": "noise",
}


def measured(evaluations: Evaluations) -> dict[str, Measure]:
    """The measures that every seed has, in the order of a page."""
    return {measure.key: measure for measure in OF_SAMPLES if all(measure.key in e["measures"] for e in evaluations)}


def over_seeds(evaluations: Evaluations, key: str) -> dict[str, float | None]:
    """Mean, std and 95 % interval of the mean over the seeds; of a single seed its interval over the images."""
    summary = over(evaluations, MEASURES[key])
    assert summary is not None
    return summary


def reference(evaluations: Evaluations, key: str) -> dict[str, float]:
    """Return what the sets that are no samples score, by name; the same for all seeds."""
    known = evaluations[0]["measures"][key].get("references", {})
    scores: dict[str, float] = {}
    for which, name in REFERENCES.items():  # the first of several sets with one name counts
        if which in known:
            scores.setdefault(name, float(known[which]["value"]))
    return scores


def panels(evaluations: Evaluations) -> list[Panel]:
    """A panel of the figure for each measure."""
    drawn = []
    for key, measure in measured(evaluations).items():
        values = [float(evaluation["measures"][key]["value"]) for evaluation in evaluations]
        low, high = (over_seeds(evaluations, key)[name] for name in ("low", "high"))
        interval = None if low is None or high is None else (low, high)
        drawn.append(Panel(measure.title, values, interval, reference(evaluations, key), measure.log))
    return drawn


def over_judges(evaluation: Mapping[str, Any]) -> str:
    """Return how many images and judges the measures are of."""
    images, judges = evaluation["images"], len(evaluation["judges"])
    mean = f"Means over {judges} judges. " if judges > 1 else "One judge. "
    return f"{mean}{images['samples']:,} samples of each seed against {images['test']:,} test images."
