"""Power and seeds against simulated tests and an independent integration."""

import numpy as np
import pytest
from scipy import integrate, stats

from dawn.studies.power import TTest, detectable, power, seeds_needed


@pytest.mark.parametrize(
    ("std", "size", "paired", "level", "seeds"),
    [
        (0.2, 0.5, True, 0.05 / 8, 6),  # SciPy's noncentral t is NaN on the way
        (0.15 * 2**0.5, 1, True, 0.05, 3),
        (2**0.5, 1.0, False, 0.05, 17),  # Cohen 1988, table 2.4.1: d = 1 with power 0.80
    ],
)
def test_the_seeds_needed(std, size, paired, level, seeds):
    assert seeds_needed(std, size, TTest(paired, level)) == seeds


@pytest.mark.parametrize(("n", "level"), [(5, 0.05 / 8), (6, 0.05 / 8), (3, 0.05), (10, 0.001)])
@pytest.mark.parametrize("paired", [True, False])
def test_power_is_what_simulated_tests_reject(n, level, paired):
    rng = np.random.default_rng(n)
    a, b = rng.normal(93, 0.15, (40_000, n)), rng.normal(93.4, 0.15, (40_000, n))
    if paired:
        seen, std = stats.ttest_rel(b, a, axis=1).pvalue < level, 0.15 * 2**0.5
    else:
        seen, std = stats.ttest_ind(b, a, axis=1).pvalue < level, 0.15 * 2**0.5
    assert power(n, std, 0.4, TTest(paired, level)) == pytest.approx(seen.mean(), abs=0.01)


def pooled_t(values, paired):
    """|t| of each variant against the first, (repeats, k - 1), of values (repeats, k, n) that share one spread."""
    k, n = values.shape[1:]
    means = values.mean(2, keepdims=True)
    rest = values - means - (values.mean(1, keepdims=True) - values.mean((1, 2), keepdims=True) if paired else 0)
    variance = (rest**2).sum((1, 2)) / ((n - 1) * (k - 1 if paired else k))
    return np.abs(means[:, 1:, 0] - means[:, :1, 0]) / np.sqrt(2 * variance / n)[:, None]


@pytest.mark.parametrize(("k", "n"), [(3, 3), (7, 3), (5, 10)])
@pytest.mark.parametrize("paired", [True, False])
def test_power_is_what_simulated_tests_of_dunnett_reject(k, n, paired):
    values = np.random.default_rng(k * n).normal(93, 0.15, (40_000, k, n))
    edge = np.quantile(pooled_t(values, paired).max(1), 0.95)
    values[:, 1] += 0.4
    seen = pooled_t(values, paired)[:, 0] > edge
    assert power(n, 0.15 * 2**0.5, 0.4, TTest(paired, 0.05, k)) == pytest.approx(seen.mean(), abs=0.01)


@pytest.mark.parametrize("n", [2, 3, 8, 40, 3000])
@pytest.mark.parametrize("size", [0.01, 0.3, 1, 3])
def test_power_is_an_integral_over_the_spread(n, size):
    # The same chance as the integral over Student's numerator: the tails of chi given the mean.
    freedom, edge = n - 1, stats.t.isf(0.005, n - 1)

    def tail(z):
        bound = freedom * ((z + size * n**0.5) / edge) ** 2
        return stats.norm.pdf(z) * stats.chi2.cdf(bound, freedom)

    known = integrate.quad(tail, -12, 12, limit=400, points=[-size * n**0.5] if size * n**0.5 < 12 else None)[0]
    assert power(n, 1.0, size, TTest(True, 0.01)) == pytest.approx(known, abs=1e-5)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("size", [0.05, 0.2, 1.0])
def test_the_seeds_needed_are_the_fewest(paired, size):
    test = TTest(paired)
    n = seeds_needed(0.2, size, test)
    assert power(n, 0.2, size, test) >= 0.8
    assert n == 2 or power(n - 1, 0.2, size, test) < 0.8


def test_a_difference_too_small_to_detect_has_no_number():
    assert seeds_needed(5.0, 0.01, TTest(paired=False)) is None


def test_the_detectable_difference_is_the_smallest():
    test = TTest(True, 0.01)
    size = detectable(5, 0.2, test)
    assert power(5, 0.2, size, test) == pytest.approx(0.8, abs=1e-3)
