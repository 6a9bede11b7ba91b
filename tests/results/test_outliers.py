"""Seeds that are at chance or lie apart are named, and hardly ever one that is not."""

import numpy as np
import pytest

from dawn.results.outliers import apart, at_chance


def by_seed(values):
    return dict(enumerate(values))


def test_seeds_at_chance():
    even = [[50, 50], [50, 50]]
    assert at_chance(by_seed([51.0, 60.0, 70.0, 49.0, 50.0]), even) == ([3, 4], [0, 1])
    uneven = [[90, 0], [10, 0]]  # always naming the first class gives 90 %
    assert at_chance(by_seed([90.0, 98.0, 99.5]), uneven) == ([0], [1])
    ten = (100 * np.eye(10, dtype=int)).tolist()
    assert at_chance({3: 57.0, 5: 10.0, 7: 37.0}, ten) == ([5], [])


@pytest.mark.parametrize("counts", [(70, 30), (7, 3), (99, 1), (1, 1), (1,), (5, 0)])
def test_a_perfect_classifier_is_never_at_chance(counts):
    """Of seven red and three blue images, chance is 70 % and three standard errors above it are more than 100 %."""
    assert at_chance({0: 100.0}, np.diag(counts).tolist()) == ([], [])


@pytest.mark.parametrize(("images", "most"), [(20, 10), (100, 70), (1000, 100), (10_000, 9_000)])
def test_a_network_that_learned_nothing_is_rarely_shown_to_be_better(images, most):
    hits = np.random.default_rng(images).binomial(images, most / images, 20_000)
    no_better, unclear = at_chance(by_seed(100 * hits / images), np.diag([most, images - most]).tolist())
    assert len(no_better) + len(unclear) >= 0.998 * len(hits)


def test_seeds_far_from_the_others():
    assert apart(by_seed([94.1, 94.0, 10.0, 93.9, 94.05]), 10_000) == [2]
    assert apart(by_seed([94.1, 94.0, 93.8, 93.9, 94.05]), 10_000) == []
    assert apart(by_seed([94.1, 94.0, 91.0, 93.9, 94.05]), 10_000) == [2]
    assert apart(by_seed([94.0] * 4 + [94.1]), 10_000) == []  # no median deviation, and no difference that counts
    assert apart(by_seed([94.0] * 4 + [80.0]), 10_000) == [4]
    assert apart(by_seed([100.0, 100.0, 100.0, 99.99]), 10_000) == []  # one image of 10,000
    assert apart(by_seed([0.0, 0.0, 0.0, 10.0]), 10) == []
    assert apart(by_seed([100.0, 100.0, 100.0, 99.0]), 10_000) == [3]
    assert apart(by_seed([10.0, 94.0]), 10_000) == []
    assert apart(by_seed([94.1, 94.0, 94.2, 93.9, 10.0, 94.1, 30.0, 94.05]), 10_000) == [4, 6]


@pytest.mark.parametrize("n", [3, 5, 10, 30])
def test_alike_seeds_are_rarely_named(n):
    """Normal accuracies whose spread is far above what the number of images explains: one in twenty experiments."""
    rows = 70 + 5 * np.random.default_rng(n).standard_normal((4000, n))
    assert np.mean([bool(apart(by_seed(row), 10_000)) for row in rows]) < 0.06


@pytest.mark.parametrize("n", [5, 10, 30])
def test_one_failed_seed_is_nearly_always_named(n):
    rows = 94 + 0.15 * np.random.default_rng(n).standard_normal((1000, n))
    rows[:, 1] = 90
    assert np.mean([1 in apart(by_seed(row), 10_000) for row in rows]) > 0.95
