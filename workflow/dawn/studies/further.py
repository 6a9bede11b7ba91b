"""What a page says of a comparison next to its verdict: other test images, single seeds, the chance of improvement."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import stats
from scipy.special import logsumexp

from dawn.config.task import Measure
from dawn.core.cli import InputError
from dawn.results.predictions import load_predictions
from dawn.results.ranks import among_top
from dawn.studies.comparisons import LEVEL, Difference, cut, reach, two_sides
from dawn.studies.sequential import Planned
from dawn.studies.variants import Result
from dawn.studies.verdicts import Interval, Verdict

PER_IMAGE = ("accuracy", "top5", "loss")  # measures that are means over the images
FEWEST = 3  # seeds of each side for a probability of improvement
NORMAL = float(stats.norm.isf(0.025))
Scores = NDArray[np.float64]
Labels = NDArray[np.int64]
Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Probability:
    """A probability in 0 .. 1 with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class Pair:
    """Two networks on ``images`` test images; ``only_base`` of them are right with the base alone.

    p         exact and two-sided, of networks that are equally often right on such images
    interval  of 95 % for the difference of the accuracies in percentage points, other minus base
    """

    images: int
    only_base: int
    only_other: int
    p: float
    interval: tuple[float, float]


@dataclass(frozen=True)
class Further:
    """What else is known of a comparison; each is None where it does not apply or cannot be known.

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
    """Return what else is known of each comparison; ``counts`` are the seeds of the planned analyses."""
    predicted = None
    if measure.key in PER_IMAGE and all(result.has_predictions for result in results.values()):
        predicted = Predictions(results, measure.key)
    more = []
    for v in verdicts:
        sides, interval, chance, pair = two_sides(v.comparison.weights), None, None, None
        if sides:
            values = {name: results[name].values(measure.key) for name in sides}
            base, other = ([values[name][seed] for seed in v.seeds[name]] for name in sides)
            chance = improvement(base, other, measure.higher)
        scores = predicted and predicted.scores(v.seeds) if v.planned or v.difference.n == 1 else None
        if scores and v.planned:
            difference = other_images(scores, v.comparison.weights, v.difference.paired)
            interval = None if difference is None else Planned(counts, v.analysis).interval(difference, LEVEL)
        if scores and sides and measure.key == "accuracy" and all(len(scores[name]) == 1 for name in sides):
            pair = mcnemar(*(scores[name][0] > 0 for name in sides))
        more.append(Further(v, cut(interval, reach(v.comparison.weights, measure.scale)), chance, pair))
    return more


class Predictions:
    """The predictions of classifiers over the same test images, each file read once.

    ``measure`` is one of ``PER_IMAGE``.
    """

    def __init__(self, results: Mapping[str, Result], measure: str) -> None:
        self.results, self.measure = results, measure
        self.labels: Labels | None = None
        self.read: dict[tuple[str, int], Scores | None] = {}

    def scores(self, seeds: Mapping[str, Iterable[int]]) -> dict[str, Scores] | None:
        """Return the measure's part of each image, (seeds, images), of some seeds of each variant.

        It is 100 or 0 for an accuracy, the cross-entropy for the loss; None if an earlier result has other test images.
        """
        by_variant = {}
        for name, numbers in seeds.items():
            parts = [part for seed in numbers if (part := self._seed(name, seed)) is not None]
            if len(parts) < len(tuple(numbers)):
                return None
            by_variant[name] = np.stack(parts)
        return by_variant

    def _seed(self, name: str, seed: int) -> Scores | None:
        if (name, seed) not in self.read:
            result = self.results[name]
            if (content := result.content_of(f"seed-{seed}/predictions.npz")) is None:
                raise InputError(f"{result.name} has no seed-{seed}/predictions.npz; finish it with snakemake")
            logits, labels = load_predictions(content, f"{result.name}: seed-{seed}/predictions.npz")
            self.labels = labels if self.labels is None else self.labels
            same = np.array_equal(labels, self.labels)
            self.read[name, seed] = of_images(logits, labels, self.measure) if same else None
        return self.read[name, seed]


def of_images(logits: NDArray[np.float32], labels: Labels, measure: str) -> Scores:
    """Return the measure's part of each image, (images,)."""
    if measure == "loss":
        exact = logits.astype(np.float64)
        return np.asarray(logsumexp(exact, axis=1) - exact[np.arange(len(labels)), labels])
    right = logits.argmax(1) == labels if measure == "accuracy" else among_top(logits, labels)
    return np.where(right, 100.0, 0.0)


def other_images(scores: Mapping[str, Scores], weights: Mapping[str, float], paired: bool) -> Difference | None:
    """Return the contrast of scores (seeds, images) with its error over other seeds and images; None for one seed.

    The part y[s, i] of seed s and image i in a measure is a mean, plus an effect of the seed, an effect of the image,
    and one of both together, all independent (two-way random effects without replication; Searle, Casella and
    McCulloch, Variance Components, 1992, chapter 4). For a contrast of variants with weights w that share their images,

        variance = sum w^2 var(seed means) / S + var(image means) / I - sum w^2 MS / (S I)

    with S seeds of a variant, I images, the image means taken of the contrast, and MS the mean square of what neither
    the seed nor the image explains: both of the first two terms contain its part of the error once. Taken seed by seed,
    the contrast of each seed is the only term of the sums. The degrees of freedom are Satterthwaite's (Biometrics
    Bulletin 2, 1946).
    """
    weighted = {name: weight * scores[name] for name, weight in weights.items()}
    parts = [sum(weighted.values(), np.zeros(1))] if paired else list(weighted.values())
    n, count = min(len(part) for part in parts), parts[0].shape[1]
    if n < 2 or count < 2:
        return None
    by_image = sum((part.mean(0) for part in parts), np.zeros(count))
    terms = [(float(by_image.var(ddof=1)) / count, count - 1.0)]
    shared = 0.0
    for part in parts:
        seeds = len(part)
        rest = part - part.mean(1, keepdims=True) - part.mean(0) + part.mean()
        both = float(np.square(rest).sum() / ((seeds - 1) * (count - 1))) / (seeds * count)
        terms += [(float(part.mean(1).var(ddof=1)) / seeds, seeds - 1.0), (both, (seeds - 1.0) * (count - 1))]
        shared += both
    # Each of the two sums alone is a lower limit, which estimates by a few seeds may go below.
    over_images, over_seeds = terms[0][0], sum(value for value, _ in terms[1::2])
    variance = max(over_images + over_seeds - shared, over_images, over_seeds)
    squares = sum(value**2 / freedom for value, freedom in terms)
    if squares == 0:
        return None
    return Difference(paired, n, float(by_image.mean()), None, float(np.sqrt(variance)), variance**2 / squares)


def improvement(base: Sequence[float], other: Sequence[float], higher: bool) -> Probability | None:
    """Return P(other better than base) + P(equal) / 2 of independent seeds; None if a side has fewer than three seeds.

    The value is Mann and Whitney's U over the number of pairs, as in rliable (arXiv 2108.13264). U is a mean of means
    of k independent pairs, k being the fewer seeds (Hoeffding, JASA 58, 1963), so that it varies no more than the
    fraction of k pairs, whatever the spreads and numbers: the interval is Clopper and Pearson's of that binomial
    fraction. Formulas that estimate the variance of U are narrower and cover 79 to 92 % where the spreads or the
    numbers differ (tests/bench/intervals.py); rliable's bootstrap has no width where all pairs agree.
    """
    k = min(len(base), len(other))
    if k < FEWEST:
        return None
    gaps = np.sign(np.subtract.outer(np.asarray(other), np.asarray(base))) * (1 if higher else -1)
    value = float((gaps + 1).mean() / 2)
    hits, misses = k * value, k * (1 - value)
    low = float(stats.beta.ppf(0.025, hits, misses + 1)) if hits > 0 else 0.0
    high = float(stats.beta.ppf(0.975, hits + 1, misses)) if misses > 0 else 1.0
    return Probability(value, low, high)


def mcnemar(base: Right, other: Right) -> Pair:
    """Compare which images (n,) two networks classify rightly.

    Where both are equally good, each image that one alone gets right is equally likely to be either's: a binomial test
    (McNemar, Psychometrika 12, 1947; exact instead of chi-square). The interval is Bonett and Price's adjusted Wald
    interval (Journal of Educational and Behavioral Statistics 37, 2012).
    """
    n, first, second = len(base), int((base & ~other).sum()), int((other & ~base).sum())
    p = float(stats.binomtest(first, first + second).pvalue) if first + second else 1.0
    one, two = ((count + 1) / (n + 2) for count in (first, second))
    half = NORMAL * math.sqrt((one + two - (two - one) ** 2) / (n + 2))
    return Pair(n, first, second, p, (100 * max(-1.0, two - one - half), 100 * min(1.0, two - one + half)))
