"""Differences that hold for other seeds and other test images: both are drawn at random, and crossed.

The part y[s, i] of seed s and image i in a measure is a mean, plus an effect of the seed, an effect of the image, and
one of both together, all independent (two-way random effects without replication; Searle, Casella and McCulloch,
Variance Components, 1992, chapter 4). For a contrast of variants with weights w that share their images,

    variance = sum w^2 var(seed means) / S + var(image means) / I - sum w^2 MS / (S I)

with S seeds of a variant, I images, the image means taken of the contrast, and MS the mean square of what neither the
seed nor the image explains: both of the first two terms contain its part of the error once. Taken seed by seed, the
contrast of each seed is the only term of the sums. Satterthwaite's degrees of freedom (Biometrics Bulletin 2, 1946).
"""

from collections.abc import Mapping

import numpy as np

from dawn.studies.comparisons import Difference
from dawn.studies.predictions import Scores


def other_images(scores: Mapping[str, Scores], weights: Mapping[str, float], paired: bool) -> Difference | None:
    """The contrast of scores (seeds, images) by variant, with its error over seeds and images; None for one seed."""
    parts = {name: weight * scores[name] for name, weight in weights.items()}
    own = [sum(parts.values(), np.zeros(1))] if paired else list(parts.values())
    n, count = min(len(part) for part in own), own[0].shape[1]
    if n < 2 or count < 2:
        return None
    by_image = sum((part.mean(0) for part in own), np.zeros(count))
    terms = [(float(by_image.var(ddof=1)) / count, count - 1.0)]
    shared = 0.0
    for part in own:
        seeds = len(part)
        terms.append((float(part.mean(1).var(ddof=1)) / seeds, seeds - 1.0))
        terms.append((both := _residual(part) / (seeds * count), (seeds - 1.0) * (count - 1)))
        shared += both
    # Each of the two sums alone is a lower limit, which estimates by a few seeds may go below.
    of_images, of_seeds = terms[0][0], sum(value for value, _ in terms[1::2])
    variance = max(of_images + of_seeds - shared, of_images, of_seeds)
    squares = sum(value**2 / freedom for value, freedom in terms)
    if squares == 0:
        return None
    mean, error = float(by_image.mean()), float(np.sqrt(variance))
    return Difference(paired, n, mean, None, error, variance**2 / squares)


def _residual(part: Scores) -> float:
    """The mean square of what the means of seeds and images leave of (seeds, images)."""
    rest = part - part.mean(1, keepdims=True) - part.mean(0) + part.mean()
    return float(np.square(rest).sum() / ((len(part) - 1) * (part.shape[1] - 1)))
