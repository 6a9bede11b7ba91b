"""What a page says of a comparison next to its verdict: other test images, single seeds, the chance of improvement."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from dawn.config.task import Measure
from dawn.studies.comparisons import LEVEL, cut, reach, two_sides
from dawn.studies.images import other_images
from dawn.studies.improvement import Probability, improvement
from dawn.studies.pairs import Pair, mcnemar
from dawn.studies.predictions import PER_IMAGE, Predictions
from dawn.studies.sequential import Planned
from dawn.studies.variants import Result
from dawn.studies.verdicts import Interval, Verdict


@dataclass(frozen=True)
class Further:
    """Each is None where it does not apply or cannot be known.

    other_images  95 % interval of the difference for other seeds and other test images
    improvement   probability that a seed of the variant is better than one of the other; of two variants
    pair          McNemar's test; of two variants with one seed each
    """

    verdict: Verdict
    other_images: Interval | None
    improvement: Probability | None
    pair: Pair | None


def further(
    verdicts: Sequence[Verdict], results: Mapping[str, Result], measure: Measure, counts: tuple[int, ...]
) -> list[Further]:
    """The same of each verdict; ``counts`` are the seeds of the planned analyses."""
    predicted = None
    if measure.key in PER_IMAGE and all(result.has_predictions for result in results.values()):
        predicted = Predictions(results, measure.key)
    found = []
    for v in verdicts:
        pair = two_sides(v.comparison.weights)
        interval = _other_images(v, predicted, counts) if predicted and v.planned else None
        interval = cut(interval, reach(v.comparison.weights, measure.scale))
        alone = pair and predicted and measure.key == "accuracy" and v.difference.n == 1
        found.append(Further(v, interval, pair and _improvement(v, results, measure, pair),
                             _mcnemar(v, predicted, pair) if alone and pair and predicted else None))  # fmt: skip
    return found


def _other_images(verdict: Verdict, predicted: Predictions, counts: tuple[int, ...]) -> Interval | None:
    scores = {name: predicted.scores(name, seeds) for name, seeds in verdict.seeds.items()}
    known = {name: score for name, score in scores.items() if score is not None}
    if len(known) < len(scores):
        return None
    difference = other_images(known, verdict.comparison.weights, verdict.difference.paired)
    return None if difference is None else Planned(counts, verdict.analysis).interval(difference, LEVEL)


def _improvement(
    verdict: Verdict, results: Mapping[str, Result], measure: Measure, pair: tuple[str, str]
) -> Probability | None:
    values = {name: results[name].values(measure.key) for name in pair}
    base, other = ([values[name][seed] for seed in verdict.seeds[name]] for name in pair)
    return improvement(base, other, measure.higher)


def _mcnemar(verdict: Verdict, predicted: Predictions, pair: tuple[str, str]) -> Pair | None:
    base, other = (predicted.scores(name, verdict.seeds[name]) for name in pair)
    if base is None or other is None or len(base) != 1 or len(other) != 1:
        return None
    return mcnemar(base[0] > 0, other[0] > 0)
