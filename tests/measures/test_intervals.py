"""95 % intervals hold the true value in 93 to 97 % of 1,000 simulated data sets."""

import neighbours
import numpy as np
import pytest
from scipy import stats
from simulations import coverage, gaussian, row

from dawn.measures.checkerboard import checkerboard, distance
from dawn.measures.classes import class_accuracy, entropy, histogram, total_variation
from dawn.measures.copying import c_t, copied
from dawn.measures.estimate import Estimate, difference_of_means, mean_of, wilson
from dawn.measures.estimate import distance as distance_entry
from dawn.measures.frechet import frechet
from dawn.measures.kid import kid

TRIALS = 1000
CLASSES = np.array([0.3, 0.2, 0.2, 0.1, 0.1, 0.05, 0.03, 0.02])


def assert_nominal(covered):
    assert 0.93 <= covered <= 0.97


def expected_kernel(a, b):
    """E[(x . y / d + 1)^3] for x from N(a, 1), y from N(b, 1): moments of a product of normal vectors."""
    d, ab, aa, bb = len(a), a @ b, a @ a, b @ b
    second = d + aa + bb + ab**2
    third = ab**3 + 3 * ab * aa + 3 * ab * (d + 2 + bb)
    return 1 + 3 * ab / d + 3 * second / d**2 + third / d**3


@pytest.mark.parametrize(("n", "m", "d", "shift"), [(60, 60, 4, 0.5), (80, 40, 8, 0.3), (60, 60, 16, 0.0)])
def test_kid(n, m, d, shift):
    rng, a, b = np.random.default_rng(1), np.full(d, shift), np.zeros(d)
    truth = expected_kernel(a, a) + expected_kernel(b, b) - 2 * expected_kernel(a, b)
    rows = np.array([row(kid(gaussian(rng, n, d, shift), gaussian(rng, m, d))) for _ in range(TRIALS)])
    assert rows[:, 1].mean() == pytest.approx(truth, abs=4 * rows[:, 1].std() / TRIALS**0.5)
    assert_nominal(coverage(rows, truth))


@pytest.mark.parametrize(("n", "d", "shift", "scale"), [(200, 4, 0.5, 1.0), (200, 4, 0.2, 1.3), (150, 8, 0.3, 1.1)])
def test_frechet(n, d, shift, scale):
    rng = np.random.default_rng(2)
    assert_nominal(
        coverage([row(frechet(gaussian(rng, n, d, shift, scale), gaussian(rng, n, d))) for _ in range(TRIALS)])
    )


def test_frechet_of_equal_distributions_is_not_too_sure():
    rng = np.random.default_rng(3)
    assert coverage([row(frechet(gaussian(rng, 100, 4), gaussian(rng, 100, 4))) for _ in range(400)]) >= 0.95


def least(trials):
    """The part of the trials that holds the truth, two standard errors below 93 %."""
    return 0.93 - 2 * np.sqrt(0.07 * 0.93 / trials)


def test_manifold():
    trials = 50
    for _, held, width in neighbours.simulate("clusters", 100, trials, seed=4).values():
        assert held >= least(trials)
        assert width < 2


HARD = "sparse, 256, 93 % zeros"  # one image is a neighbour of most others; docs/measures.md says how often it fails


@pytest.mark.full
def test_manifold_in_many_simulations():
    """Intervals of 20 % less width hold the truth in 88 %, which the trials of all sets show; 80 % shows in one set."""
    trials, parts = 50, {}
    for name in (name for name in neighbours.SETS if name != HARD):
        for key, (_, held, _) in neighbours.simulate(name, 200, trials, seed=4).items():
            assert least(trials) <= held, (name, key)
            parts.setdefault(key, []).append(held)
    for key, held in parts.items():
        assert least(trials * len(held)) <= np.mean(held), key


@pytest.mark.parametrize(("n", "m", "shift"), [(200, 200, 0.0), (150, 300, 0.5), (200, 200, -1.0)])
def test_c_t(n, m, shift):
    rng = np.random.default_rng(6)
    area = stats.norm.cdf(shift / 2**0.5)
    truth = (area - 0.5) / np.sqrt((n + m + 1) / (12 * n * m))
    assert_nominal(
        coverage([row(c_t(rng.standard_normal(n) + shift, rng.standard_normal(m))) for _ in range(TRIALS)], truth)
    )


@pytest.mark.parametrize("part", [0.0, 0.03, 0.2])
def test_the_percentage_of_copies(part):
    rng = np.random.default_rng(7)
    rows = []
    for _ in range(TRIALS):
        samples = np.where(rng.random(1000) < part, 0.0, rng.random(1000))
        found = copied(samples, rng.random(2000))
        rows.append((found["low"], found["value"], found["high"]))
    held = coverage(rows, 100 * part)
    assert 0.93 <= held <= (0.97 if part else 0.99)  # at 0 an interval can miss on one side only


@pytest.mark.parametrize(
    ("measure", "truth"),
    [
        (class_accuracy, CLASSES[0]),
        (lambda logits, _: histogram(logits)[3], CLASSES[3]),
        (lambda logits, _: entropy(logits), None),
        (lambda logits, _: total_variation(logits), None),
    ],
    ids=["accuracy", "histogram", "entropy", "total variation"],
)
def test_classes(measure, truth):
    rng, one_hot, n = np.random.default_rng(8), np.eye(8), 500
    rows = [row(measure(one_hot[rng.choice(8, n, p=CLASSES)], np.zeros(n, int))) for _ in range(TRIALS)]
    assert_nominal(coverage(rows, truth))


def test_difference_of_means():
    rng = np.random.default_rng(9)
    rows = [row(difference_of_means(rng.normal(1, 1, 60), rng.normal(0, 3, 25))) for _ in range(TRIALS)]
    assert_nominal(coverage(rows, 1.0))


def stripes(rng, n):
    """Noise with a period of 2 along rows whose strength differs from image to image."""
    wave = np.cos(np.pi * np.arange(16))[None, None, :, None] * rng.gamma(4, 5, n)[:, None, None, None]
    return np.rint(128 + wave + 20 * rng.standard_normal((n, 16, 16, 3))).clip(0, 255).astype(np.uint8)


def checkerboards(trials):
    rng = np.random.default_rng(10)
    found = [checkerboard(stripes(rng, 80), stripes(rng, 100)) for _ in range(trials)]
    return {name: [(f[name]["low"], f[name]["value"], f[name]["high"]) for f in found] for name in ("mean", "x2", "y4")}


@pytest.mark.full
def test_checkerboard():
    for rows in checkerboards(TRIALS).values():
        assert_nominal(coverage(rows, 0.0))


@pytest.mark.parametrize("correlation", [0.0, 0.5, 0.9])
@pytest.mark.parametrize("true", [(0, 0, 0, 0), (1, 1, 1, 1), (1, -1, 1, -1), (2, 0, 0, 0), (10, 0, 0, 0)], ids=str)
def test_the_distance_of_several_values_from_zero(true, correlation):
    rng, trials = np.random.default_rng(12), 400
    root = np.linalg.cholesky((1 - correlation) * np.eye(4) + correlation)
    draws = rng.standard_normal((500, 4)) @ root.T
    rows = []
    for _ in range(trials):
        value, low, high = distance(np.array(true) + root @ rng.standard_normal(4), draws)
        rows.append((low, value, high))
    assert coverage(rows, np.sqrt(np.mean(np.square(true)))) >= 0.95 - 2 * np.sqrt(0.05 * 0.95 / trials)


@pytest.mark.parametrize("true", [0.0, 0.5, 1.0, 3.0, -3.0])
def test_the_distance_of_one_value_from_the_best(true):
    rng, trials, best = np.random.default_rng(13), 4000, 1.0
    value = best + true + rng.standard_normal(trials)
    entries = [distance_entry({"value": v, "low": v - 1.96, "high": v + 1.96, "n": 9}, best) for v in value]
    rows = [(entry["low"], entry["value"], entry["high"]) for entry in entries]
    held = coverage(rows, abs(true))
    assert 0.94 <= held <= 0.99
    assert all(low <= middle <= high for low, middle, high in rows)


def test_the_mean_of_judges_knows_that_they_see_the_same_images():
    rng = np.random.default_rng(11)
    turn = np.linalg.qr(rng.standard_normal((6, 6)))[0]
    x, y = gaussian(rng, 100, 6, 0.4), gaussian(rng, 100, 6)
    one, turned = kid(x, y), kid(x @ turn, y @ turn)
    assert mean_of([one, turned]).interval() == pytest.approx(one.interval(), rel=1e-6)
    other = kid(gaussian(rng, 100, 6, 0.4), gaussian(rng, 100, 6))
    assert mean_of([one, other]).variance < 0.8 * max(one.variance, other.variance)


def test_a_fraction_of_none_or_all_has_an_interval():
    none = Estimate(0.0, (np.zeros(50),), 50, 49, "fraction")
    assert none.interval() == pytest.approx(wilson(0, 50, stats.t.ppf(0.975, 49)))
    assert none.interval()[1] == pytest.approx(0.075, abs=0.01)
