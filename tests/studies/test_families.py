"""Corrections for several comparisons against their definitions, published tables and SciPy."""

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from dawn.studies.multiple import Family, dunnett_edge, dunnett_p

P = st.floats(0, 1)


def bonferroni(p, count):
    return p * count


@given(st.lists(P, min_size=1, max_size=6))
def test_one_hypothesis_each_is_the_closed_test_of_bonferroni(ps):
    # Holm's own definition: a hypothesis falls when every intersection that holds it falls to Bonferroni's test.
    def closed(i):
        groups = (g for size in range(1, len(ps) + 1) for g in itertools.combinations(range(len(ps)), size) if i in g)
        return max(min(1.0, len(group) * min(ps[k] for k in group)) for group in groups)

    family = Family([(i, "") for i in range(len(ps))])
    family.test({(i, ""): p for i, p in enumerate(ps)}, bonferroni)
    assert [family.adjusted[i, ""] for i in range(len(ps))] == pytest.approx([closed(i) for i in range(len(ps))])


@given(st.lists(st.tuples(P, P), min_size=1, max_size=3))
def test_two_that_exclude_each_other_are_the_closed_test_over_what_can_be_true(pairs):
    # An intersection can be true only if it has at most one of the two hypotheses of a comparison.
    hypotheses = [(i, side) for i in range(len(pairs)) for side in (0, 1)]
    possible = [
        group for size in range(1, len(pairs) + 1) for group in itertools.combinations(hypotheses, size)
        if len({i for i, _ in group}) == size
    ]  # fmt: skip
    family = Family(hypotheses)
    family.test({(i, side): pairs[i][side] for i, side in hypotheses}, bonferroni)
    for h in hypotheses:
        closed = max(min(1.0, len(g) * min(pairs[i][side] for i, side in g)) for g in possible if h in g)
        assert family.adjusted[h] >= closed - 1e-12  # never more liberal


def test_what_has_no_value_counts():
    family = Family([(0, ""), (1, ""), (2, "")])
    family.test({(0, ""): 0.01, (1, ""): 0.03}, bonferroni)
    assert family.adjusted == {(0, ""): pytest.approx(0.03), (1, ""): pytest.approx(0.06)}


def test_what_was_rejected_leaves_for_good_and_what_stopped_stays():
    family = Family([(0, ""), (1, ""), (2, "")])
    family.test({(0, ""): 0.001, (1, ""): 0.04, (2, ""): 0.5}, bonferroni)
    assert family.standing == {(1, ""), (2, "")}
    family.test({(1, ""): 0.02}, bonferroni)  # the third is not tested any more, and may be true
    assert family.adjusted[1, ""] == pytest.approx(0.04)
    assert family.adjusted[0, ""] == pytest.approx(0.003)


@pytest.mark.parametrize(
    ("count", "freedom", "edge"),  # Dunnett, Biometrics 20, 1964, table II: two-sided, 5 %
    [(1, 10, 2.23), (2, 10, 2.57), (3, 10, 2.76), (4, 20, 2.65), (9, 20, 2.95), (2, 5, 3.03)],
)
def test_dunnetts_table(count, freedom, edge):
    assert dunnett_edge(0.05, count, freedom) == pytest.approx(edge, abs=0.006)


def test_dunnett_is_scipys_and_students_for_one():
    rng = np.random.default_rng(1)
    groups = [rng.normal(size=6) + 0.8 * i for i in range(5)]
    known = stats.dunnett(*groups[1:], control=groups[0], random_state=1)
    assert [dunnett_p(abs(t), 4, 25) for t in known.statistic] == pytest.approx(known.pvalue, abs=1e-3)
    for t, freedom in ((0.5, 2), (3, 2), (8, 4), (2, 30)):
        assert dunnett_p(t, 1, freedom) == pytest.approx(2 * stats.t.sf(t, freedom), rel=1e-9)
