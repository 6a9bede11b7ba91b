"""What changes without one image is what is measured without it, and halves are measured as sets of their own."""

import numpy as np
import pytest
from simulations import gaussian

from dawn.core.cli import InputError
from dawn.measures.estimate import jackknife
from dawn.measures.manifold import Known, factors, freedom, manifold, measured, tally
from dawn.measures.nearest import blocks, within

SETS = [(2, 3, 0.5), (6, 5, 0.0), (6, 5, 1.0), (3, 1, 0.3)]


def direct(x, y, k):
    """Precision, density and coverage by their definitions."""
    d = np.linalg.norm(x[:, None] - y, axis=2)
    between = np.linalg.norm(y[:, None] - y, axis=2)
    inside = d < np.sort(between, axis=1)[:, k]  # the nearest is the image itself
    return np.array([inside.any(1).mean(), inside.sum() / (k * len(x)), inside.any(0).mean()])


def all_at_once(x, y, k):
    near, distances = within(y, k + 1)
    rows = ((rows, d < distances[:, k - 1], d < distances[:, k]) for rows, _, d in blocks(x, y, len(y)))
    return measured(tally(len(x), len(y), rows), near[:, :k])


@pytest.mark.parametrize(("d", "k", "shift"), SETS)
def test_the_contributions_are_those_of_leaving_each_image_out(d, k, shift):
    rng = np.random.default_rng(d + k)
    x, y = gaussian(rng, 40, d, shift), gaussian(rng, 33, d)
    without_x = np.array([direct(np.delete(x, i, 0), y, k) for i in range(len(x))])
    without_y = np.array([direct(x, np.delete(y, i, 0), k) for i in range(len(y))])
    for i, (each, value) in enumerate(zip(all_at_once(x, y, k), direct(x, y, k), strict=True)):
        assert each.value == pytest.approx(value)
        assert each.balls == pytest.approx(jackknife(without_y[:, i]), abs=1e-12)
        assert np.square(each.images).sum() == pytest.approx(np.square(jackknife(without_x[:, i])).sum())


@pytest.mark.parametrize(("d", "k", "shift"), SETS)
def test_a_half_is_measured_as_a_set_of_its_own(d, k, shift):
    rng = np.random.default_rng(d * k)
    x, y = gaussian(rng, 60, d, shift), gaussian(rng, 51, d)
    rows, columns = rng.permutation(60)[:30], rng.permutation(51)[:25]
    for ours, theirs in zip(Known.of(x, y, k).half(rows, columns, k), all_at_once(x[rows], y[columns], k), strict=True):
        assert ours.value == theirs.value
        assert ours.images == pytest.approx(theirs.images)
        assert ours.balls == pytest.approx(theirs.balls)


def test_the_jackknife_of_neighbours_is_too_large_and_the_factors_say_so():
    rng = np.random.default_rng(0)
    for _, density, coverage in (factors(gaussian(rng, 300, 4), gaussian(rng, 300, 4), 5) for _ in range(3)):
        assert 0.05 < density < 0.8
        assert 0.1 < coverage < 0.5


def test_an_image_that_decides_alone_leaves_few_degrees_of_freedom():
    equal, alone = np.ones(1000), np.eye(1, 1000)[0]
    assert freedom([equal]) == pytest.approx(60)
    assert freedom([alone]) < 2.1
    assert freedom([np.zeros(9)]) == 60


@pytest.mark.parametrize(("n", "m"), [(13, 40), (40, 13)])
def test_halves_without_enough_neighbours_are_refused(n, m):
    rng = np.random.default_rng(1)
    with pytest.raises(InputError, match=f"5 neighbours need 14 images in each set, and there are {n} samples and {m}"):
        manifold(gaussian(rng, n, 2), gaussian(rng, m, 2), 5)
    assert set(manifold(gaussian(rng, 14, 2), gaussian(rng, 14, 2), 5)) == {
        "precision",
        "recall",
        "density",
        "coverage",
    }
