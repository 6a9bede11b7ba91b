"""The statistics of a study against independent references, and by simulating thousands of studies."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dawn.results.statistics import fraction
from dawn.studies.statistics import difference, holm, judge, power, seeds_needed

VALUES = st.lists(st.floats(80, 100), min_size=2, max_size=12).filter(lambda v: max(v) - min(v) > 1e-3)


def by_seed(values):
    return dict(enumerate(values))


@given(VALUES, VALUES)
def test_the_intervals_are_scipys(a, b):
    found = difference(by_seed(a), by_seed(b), shared=False)
    known = stats.ttest_ind(b, a, equal_var=False)
    low, high = known.confidence_interval(0.95)
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-6)
    assert found.p == pytest.approx(known.pvalue, abs=1e-9)
    n = min(len(a), len(b))
    gaps = np.subtract(b[:n], a[:n])
    if np.ptp(gaps) > 1e-3:
        paired = difference(by_seed(a[:n]), by_seed(b[:n]), shared=True)
        known = stats.ttest_rel(b[:n], a[:n])
        low, high = known.confidence_interval(0.95)
        assert paired.paired
        assert (paired.low, paired.high, paired.p) == pytest.approx((low, high, known.pvalue), abs=1e-6)


def test_what_cannot_be_known_is_not_made_up():
    for a, b in (([93.0], [94.0]), ([93.0, 93.0], [94.0, 94.0]), ([93.0, 92.0], [94.0, 93.0])):
        found = difference(by_seed(a), by_seed(b), shared=True)
        assert found.mean == 1
        assert (found.low, found.p) == (None, None)
        assert judge([found], 0.2)[0].verdict == "too few seeds"


def test_other_seeds_are_not_paired():
    assert not difference({0: 1.0, 1: 2.0}, {1: 1.0, 2: 3.0}, shared=True).paired
    assert not difference({0: 1.0, 1: 2.0}, {0: 1.0, 1: 3.0}, shared=False).paired


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_holm_is_the_closed_test_of_bonferroni(ps):
    # Holm's own definition: a hypothesis falls when every intersection that holds it falls to Bonferroni's test.
    def closed(i):
        return max(
            min(1.0, len(group) * min(ps[k] for k in group))
            for size in range(1, len(ps) + 1)
            for group in itertools.combinations(range(len(ps)), size)
            if i in group
        )

    assert holm(ps) == pytest.approx([closed(i) for i in range(len(ps))])


def test_holm_skips_what_has_no_value():
    assert holm([0.03, None, 0.01]) == [pytest.approx(0.03), None, pytest.approx(0.02)]


def test_power_is_what_simulated_tests_reject():
    rng = np.random.default_rng(3)
    a, b = rng.normal(93, 0.15, (4000, 6)), rng.normal(93.2, 0.15, (4000, 6))
    seen = (stats.ttest_ind(a, b, axis=1, equal_var=False).pvalue < 0.05).mean()
    assert power(6, 0.15 * 2**0.5, 0.2, paired=False) == pytest.approx(seen, abs=0.03)
    seen = (stats.ttest_1samp(b - 93, 0, axis=1).pvalue < 0.05).mean()
    assert power(6, 0.15, 0.2, paired=True) == pytest.approx(seen, abs=0.03)


@pytest.mark.parametrize("paired", [True, False])
@pytest.mark.parametrize("size", [0.05, 0.2, 1.0])
def test_the_seeds_needed_are_the_fewest(paired, size):
    n = seeds_needed(0.2, size, paired)
    assert power(n, 0.2, size, paired) >= 0.8
    assert n == 2 or power(n - 1, 0.2, size, paired) < 0.8


def test_a_difference_too_small_to_ever_see_has_no_number():
    assert seeds_needed(5.0, 0.01, paired=False) is None


def test_the_known_number_for_a_difference_of_one_spread():
    # Cohen 1988, table 2.4.1: 17 a group see d = 1 with power 0.80 at the two-sided 5 % level.
    assert seeds_needed(2**0.5, 1.0, paired=False) == 17


VARIANTS = {"same": (0.0, 0.15), "better": (0.25, 0.15), "worse": (-0.4, 0.15), "wild": (0.1, 0.45)}


def studies(rng, count, seeds, together):
    """Accuracies of simulated studies, in steps of an image in 10,000; ``together``: the share that seeds decide."""
    for _ in range(count):
        common = rng.normal(0, 0.15 * together**0.5, seeds)

        def accuracies(shift, spread, common=common):
            own = rng.normal(93 + shift, (spread**2 - 0.15**2 * together) ** 0.5, seeds)
            return by_seed(np.round(own + common, 2).tolist())

        yield accuracies(0, 0.15), {name: accuracies(*how) for name, how in VARIANTS.items()}


@pytest.mark.parametrize(("shared", "together", "seeds"), [(True, 0.5, 5), (True, 0.0, 3), (False, 0.0, 5)])
def test_95_percent_intervals_cover_93_to_97_percent_of_2000_studies(shared, together, seeds):
    rng = np.random.default_rng(seeds + shared)
    covered, false, total = dict.fromkeys(VARIANTS, 0), 0, 2000
    for base, others in studies(rng, total, seeds, together):
        judged = dict(zip(others, judge([difference(base, o, shared) for o in others.values()], 0.2), strict=True))
        for name, (shift, _) in VARIANTS.items():
            found = judged[name].difference  # without an interval, which equal differences have not, it does not cover
            covered[name] += found.known and found.low <= shift <= found.high
        false += judged["same"].verdict in ("better", "worse")
    for name, hits in covered.items():
        assert 93 <= 100 * hits / total <= 97, f"{name}: {100 * hits / total} %"
    assert false / total <= 0.05


def test_wilsons_interval_covers_a_share_of_seeds():
    # On average over the shares; for single ones it swings around its level (Brown, Cai and DasGupta 2001).
    rng = np.random.default_rng(1)
    covered = []
    for true in rng.uniform(0.05, 0.95, 2000):
        found = fraction(int(rng.binomial(10, true)), 10)
        covered.append(found["low"] <= 100 * true <= found["high"])
    assert 0.93 <= np.mean(covered) <= 0.97


def test_the_verdicts():
    base = by_seed([93.0, 93.1, 92.9, 93.05, 92.95])

    def verdict(shift, wobble):
        other = {seed: value + shift + wobble * (-1) ** seed for seed, value in base.items()}
        return judge([difference(base, other, True)], 0.2)[0].verdict

    assert verdict(0.5, 0.05) == "better"
    assert verdict(-0.5, 0.05) == "worse"
    assert verdict(0.01, 0.05) == "alike"
    assert verdict(0.1, 0.3) == "too few seeds"
