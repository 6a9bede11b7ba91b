"""The levels of planned analyses and the anytime-valid test, by simulating many studies."""

import numpy as np
import pytest
from scipy import integrate, optimize, stats

from dawn.studies.comparisons import Difference, contrast
from dawn.studies.sequential import PLANNED, RESERVED, Anytime, Planned, levels

COUNTS = (3, 5, 8, 13, 20)


def statistics(draws, counts):
    """|t| of each study (a row) at each count."""
    return [abs(d.mean(1)) / (d.std(1, ddof=1) / n**0.5) for n in counts for d in [draws[:, :n]]]


@pytest.mark.parametrize("counts", [COUNTS, (2, 4), (4, 6, 9, 30)])
@pytest.mark.parametrize("total", [PLANNED, PLANNED / 5])
def test_all_analyses_together_reject_as_often_as_they_may(counts, total):
    draws = np.random.default_rng(7).normal(size=(200_000, counts[-1]))
    hits = np.zeros(len(draws), bool)
    for n, level, t in zip(counts, levels(counts, total), statistics(draws, counts), strict=True):
        hits |= t > stats.t.isf(level / 2, n - 1)
    assert hits.mean() == pytest.approx(total, abs=4 * (total / len(draws)) ** 0.5)


def test_a_fixed_study_spends_all_at_once():
    assert levels((5,), PLANNED) == (PLANNED,)


def test_the_first_analysis_spends_its_part_and_more_comparisons_lower_every_level():
    found = [levels(COUNTS, PLANNED / count) for count in (1, 2, 4, 8, 36)]
    assert found[0][0] == pytest.approx(PLANNED * 3 / 20)
    assert (np.diff(np.array(found), axis=0) < 0).all()
    assert (np.array(found[0]) >= PLANNED * np.diff([0, *COUNTS]) / 20 - 1e-12).all()  # never below the union bound


def anytime_p(t, n):
    return Anytime().p(Difference(True, n, t, n**0.5, 1.0, n - 1))


def test_the_anytime_p_value_is_the_bayes_factor_by_integration():
    # Effects normal with variance 4, the spread integrated over its invariant prior: noncentral t over t.
    for t, n in ((2.0, 3), (4.0, 5), (1.0, 12), (5.0, 20)):

        def chance(effect, t=t, n=n):
            return stats.norm.pdf(effect) * stats.nct.pdf(t, n - 1, 2 * effect * n**0.5)

        mixed = integrate.quad(chance, -8, 8, limit=500)[0]
        assert anytime_p(t, n) == pytest.approx(min(1, stats.t.pdf(t, n - 1) / mixed), rel=1e-6)


def test_repeating_the_anytime_test_after_each_seed_rejects_rarely():
    draws = np.random.default_rng(8).normal(size=(20_000, 30))
    counts = range(2, 31)
    lowest = np.ones(len(draws))
    for n, t in zip(counts, statistics(draws, counts), strict=True):
        grid = np.linspace(0, t.max(), 4000)
        lowest = np.minimum(lowest, np.interp(t, grid, [anytime_p(x, n) for x in grid]))
    for level in (0.05, 0.02):
        assert (lowest < level).mean() <= level
    assert (lowest < RESERVED).mean() > RESERVED / 10


def test_the_anytime_interval_holds_what_the_test_does_not_reject():
    d = contrast({"a": dict(enumerate([0.1, 0.3, 0.2, 0.25, 0.15, 0.4]))}, {"a": 1.0}, True)
    low, high = Anytime().interval(d, 0.02)
    edge = optimize.brentq(lambda null: Anytime().p(d, null) - 0.02, d.mean, d.mean + 50 * d.error)
    assert high == pytest.approx(edge)
    assert low == pytest.approx(2 * d.mean - edge)
    assert Planned((6,), 0).interval(d, 0.05)[1] < high
    short = contrast({"a": {0: 0.1, 1: 0.3}}, {"a": 1.0}, True)
    assert Anytime().interval(short, RESERVED) is None  # two seeds can exclude nothing


def test_one_sided_anytime_tests_reject_only_on_their_side():
    d = Difference(True, 10, 0.0, 0.1, 0.02, 9)
    assert Anytime().p_margin(d, 0.5, above=True) == Anytime().p_margin(d, 0.5, above=False) < 1e-4
    assert Anytime().p_margin(Difference(True, 10, 0.6, 0.1, 0.02, 9), 0.5, above=True) == 1
