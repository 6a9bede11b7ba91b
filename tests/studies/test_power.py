"""Power and seeds against simulated tests and an independent integration."""

import numpy as np
import pytest
from conftest import in_full
from scipy import integrate, optimize, stats
from study_simulation import verdicts

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


@pytest.mark.parametrize(("n", "level"), [(2, 0.045), (3, 0.045), (5, 0.05 / 8), (6, 0.05 / 8), (10, 0.001)])
@pytest.mark.parametrize("ratio", [None, 1.0, 3.0])
def test_power_is_what_simulated_tests_reject(n, level, ratio):
    """Before: Welch's test as if its degrees of freedom were 2n - 2, here by SciPy's with those that it estimates.

    Without a ratio the test is paired, else the spreads have this ratio.
    """
    rng = np.random.default_rng(n)
    own = 0.15 * np.array([1, ratio or 1.0])
    std = float(np.hypot(*own))
    a, b = (rng.normal(shift, s, (40_000, n)) for shift, s in zip((0, 2.2 * std / n**0.5), own, strict=True))
    seen = stats.ttest_rel(b, a, axis=1) if ratio is None else stats.ttest_ind(b, a, axis=1, equal_var=False)
    test = TTest(ratio is None, level, parts=tuple(own**2 / std**2))
    assert power(n, std, 2.2 * std / n**0.5, test) == pytest.approx((seen.pvalue < level).mean(), abs=0.01)


@pytest.mark.parametrize(("n", "comparisons", "chance"), [
    (2, 1, 0.46), (3, 1, 0.68), (4, 1, 0.77), (2, 5, 0.33), (3, 5, 0.56), (4, 5, 0.68),
])  # fmt: skip
def test_what_2n_minus_2_degrees_of_freedom_called_four_times_in_five(n, comparisons, chance):
    level = 0.045 / comparisons
    edge = stats.t.isf(level / 2, 2 * n - 2)
    size = optimize.brentq(lambda d: stats.nct.sf(edge, 2 * n - 2, d * (n / 2) ** 0.5) - 0.8, 0.1, 50)
    assert power(n, 2**0.5, size, TTest(False, level)) == pytest.approx(chance, abs=0.02)


def test_the_power_of_an_interaction_is_what_simulated_tests_reject():
    rng, weights, spreads, n = np.random.default_rng(0), np.array([1, -1, -1, 1]), np.array([1, 1, 2, 0.5]), 4
    parts = spreads**2 / (spreads**2).sum()
    x = rng.normal(size=(40_000, 4, n)) * spreads[:, None]
    x[:, 0] += 4
    own = x.var(2, ddof=1) / n
    t = (x.mean(2) @ weights) / np.sqrt(own.sum(1))
    freedom = own.sum(1) ** 2 / (own**2 / (n - 1)).sum(1)
    seen = (2 * stats.t.sf(np.abs(t), freedom) < 0.045).mean()
    test = TTest(False, 0.045, parts=tuple(parts))
    assert power(n, float((spreads**2).sum() ** 0.5), 4, test) == pytest.approx(seen, abs=0.015)


@pytest.mark.parametrize(("variants", "n"), [(3, 5), (2, 5), *in_full((6, 3), (6, 6))])
@pytest.mark.parametrize("paired", [True, False])
def test_power_under_dunnett_is_what_simulated_studies_find(variants, n, paired):
    rng, size, found = np.random.default_rng(n), 4 / n**0.5, 0
    for _ in range(500):
        rows = rng.normal(size=(variants, n))
        rows[1] += size * 2**0.5
        found += verdicts(rows, [n], 1e-9, paired, test="dunnett")[0].kind == "better"
    test = TTest.of_study("dunnett", variants - 1, paired)
    assert found / 500 >= power(n, 2**0.5, size * 2**0.5, test) - 0.06
    assert found / 500 <= power(n, 2**0.5, size * 2**0.5, test) + 0.06


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
