"""Simulated studies: values of variants over seeds, and the verdicts on them."""

import numpy as np

from dawn.studies.analysis import Analyses, Design
from dawn.studies.verdicts import Comparison

SPREADS = {  # of one value around its mean, each with the standard deviation 1
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: 1 - rng.exponential(size=shape),  # a tail of low accuracies
    "t3": lambda rng, shape: rng.standard_t(3, size=shape) / 3**0.5,
}


def against_first(variants):
    """Each of v1, v2, ... against v0."""
    return [Comparison(f"v{i}", "v0", {"v0": -1.0, f"v{i}": 1.0}) for i in range(1, variants)]


def by_name(rows):
    """Rows of numbers as values of v0, v1, ... by seed."""
    return {f"v{i}": dict(enumerate(map(float, row))) for i, row in enumerate(rows)}


def verdicts(rows, counts, margin=0.2, paired=True, planned=True, **design):
    """The verdicts on rows, a variant each, against the first."""
    analyses = Analyses(Design(against_first(len(rows)), tuple(counts), margin, **design), lambda names: paired)
    analyses.planned(by_name(rows)) if planned else analyses.unplanned(by_name(rows))
    return analyses.verdicts


def draw(rng, variants, seeds, spread="normal", std=0.15, common=0.5, shifts=()):
    """Accuracies (variants, seeds) around 93; ``common`` is the part of the variance that seeds have in common."""
    sample = SPREADS[spread]
    rows = sample(rng, (variants, seeds)) * std * (1 - common) ** 0.5 + sample(rng, seeds) * std * common**0.5
    rows[: len(shifts)] += np.array(shifts)[:, None]
    return 93 + rows
