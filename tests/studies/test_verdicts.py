"""Verdicts on single studies worked out by hand, and how often they are wrong over many."""

import re

import numpy as np
import pytest
from conftest import in_full
from study_simulation import SPREADS, draw, verdicts

from dawn.results.measures import MEASURES
from dawn.studies.sentences import sentence, short

ACCURACY = MEASURES["accuracy"]
BASE = np.array([93.0, 93.1, 92.9, 93.05, 92.95])
SIGNS = np.array([1, -1, 1, -1, 1])


@pytest.mark.parametrize(
    ("shift", "wobble", "cell", "words"),
    [
        (0.5, 0.05, "better", "v1 is better than v0 by 0.51 points (95 % interval"),
        (-0.5, 0.05, "worse", "v1 is worse than v0 by 0.49 points"),
        (0.1, 0.01, "better by less than 0.2", "v1 is better than v0, by less than 0.2 points"),
        (0.01, 0.05, "within 0.2", "v1 and v0 differ by less than 0.2 points"),
        (0.12, 0.15, "not worse by 0.2", "v1 is not worse than v0 by 0.2 points or more; whether it is better"),
        (-0.2, 0.15, "not better by 0.2", "v1 is not better than v0 by 0.2 points or more; whether it is worse"),
        (0.1, 0.5, "cannot tell: 63 seeds", "5 seeds cannot tell v1 from v0"),
    ],
)
def test_a_verdict_in_a_cell_and_in_a_sentence(shift, wobble, cell, words):
    (verdict,) = verdicts([BASE, BASE + shift + wobble * SIGNS], [5])
    assert short(verdict) == cell
    assert sentence(verdict, ACCURACY).startswith(words)


def test_where_lower_is_better_the_verdicts_turn_round():
    rows = np.array([BASE, BASE + 0.5 + 0.05 * SIGNS])
    assert verdicts(rows, [5], higher=False)[0].kind == "worse"
    rows[1] = BASE + 0.12 + 0.15 * SIGNS
    assert verdicts(rows, [5], higher=False)[0].kind == "not better"


def test_it_never_asks_for_seeds_that_are_there():
    rng = np.random.default_rng(0)
    for _ in range(300):
        (verdict,) = verdicts(draw(rng, 2, 10), [10])
        if verdict.kind == "cannot tell" and "seeds" in short(verdict):
            assert int(short(verdict).split()[2]) > 10
        if verdict.kind == "cannot tell" and verdict.needed <= 10:
            assert "this one did not" in sentence(verdict, ACCURACY)


def test_seeds_without_a_spread_say_nothing():
    (verdict,) = verdicts([BASE, BASE + 1], [5])
    assert short(verdict) == "cannot tell"
    assert "since the seeds show no spread" in sentence(verdict, ACCURACY)
    (verdict,) = verdicts([BASE[:1], BASE[:1] + 1], [1])
    assert "since one seed has no spread" in sentence(verdict, ACCURACY)


def test_equal_values_in_all_seeds_are_said_to_be_equal():
    (verdict,) = verdicts([BASE, BASE], [5])
    assert (short(verdict), verdict.kind) == ("equal in all seeds", "cannot tell")
    assert sentence(verdict, ACCURACY).endswith("have the same accuracy in each of 5 seeds.")
    (verdict,) = verdicts([BASE[:1], BASE[:1]], [1])
    assert short(verdict) == "cannot tell"


def test_a_comparison_keeps_the_analysis_that_decided_it():
    rng = np.random.default_rng(1)
    rows = draw(rng, 3, 20, std=0.1, shifts=(0, 2.0, 0.01))
    clear, unclear = verdicts(rows, [3, 5, 8, 13, 20], margin=0.05)
    assert (clear.kind, clear.analysis, clear.difference.n) == ("better", 0, 3)
    assert unclear.analysis > 0
    rows[1, 3:] = -100  # what comes after is not looked at
    assert verdicts(rows, [3, 5, 8, 13, 20], margin=0.05)[0] == clear


def test_seeds_are_asked_for_only_after_the_last_analysis():
    rows = draw(np.random.default_rng(2), 2, 8, std=3)
    interim, last = (verdicts(rows[:, :n], [3, 5, 8])[0] for n in (5, 8))
    assert short(interim) == "cannot tell"
    assert "study of" not in sentence(interim, ACCURACY)
    assert short(last).startswith("cannot tell: ")


def test_the_p_value_in_the_sentence_is_that_of_the_verdict():
    (verdict,) = verdicts([BASE, BASE + 0.01 + 0.05 * SIGNS], [5])
    assert verdict.p_kind == max(verdict.not_worse, verdict.not_better) < 0.05 < verdict.adjusted
    assert f"or more = {verdict.p_kind:.2g};" in sentence(verdict, ACCURACY)


TESTS = {
    (0.5, 0.05): ["p of no difference"],
    (0.1, 0.01): ["p of no difference", "p of a difference of 0.2 points or more"],
    (0.01, 0.05): ["p of a difference of 0.2 points or more"],
    (0.12, 0.15): ["p of being worse by 0.2 points or more", "p of no difference"],
    (-0.2, 0.15): ["p of being better by 0.2 points or more", "p of no difference"],
    (0.1, 0.5): ["p of no difference"],
}


@pytest.mark.parametrize(("values", "tests"), TESTS.items())
def test_each_p_in_a_sentence_is_named(values, tests):
    """Not "adjusted p", which was of no difference in a table and of another test in a sentence."""
    shift, wobble = values
    (verdict,) = verdicts([BASE, BASE + shift + wobble * SIGNS], [5])
    assert re.findall(r"adjusted (p of [^=<;]*[^=<; ])", sentence(verdict, ACCURACY)) == tests


@pytest.mark.parametrize("counts", [(5,), (3, 5)])
@pytest.mark.parametrize("planned", [True, False])
@pytest.mark.parametrize("higher", [True, False])
def test_the_bound_of_a_statement_agrees_with_it(counts, planned, higher):
    """The two-sided interval may begin below -0.2 where the variant is shown not to be worse by 0.2."""
    rng, kinds = np.random.default_rng(7), set()
    for _ in range(400):
        rows = np.array([rng.normal(93, 0.05, 5), rng.normal(93 + rng.normal(0, 0.2), 0.12, 5)])
        (verdict,) = verdicts(rows, counts, planned=planned, higher=higher)
        if verdict.bounds is None:
            continue
        low, high = verdict.bounds if higher else (-verdict.bounds[1], -verdict.bounds[0])
        kinds.add(verdict.kind)
        if verdict.not_worse < 0.05:
            assert low > -0.2
        if verdict.not_better < 0.05:
            assert high < 0.2
        if verdict.kind == "not worse":
            end = verdict.bounds[0] if higher else verdict.bounds[1]
            assert f"95 % {'lower' if higher else 'upper'} bound {end:+.2f}, adjusted p" in sentence(verdict, ACCURACY)
    assert not planned or {"not worse", "not better", "within"} <= kinds


def test_the_intervals_of_a_percentage_end_at_a_hundred_points():
    """Two seeds, one of which failed: Student's interval has 12.7 standard errors on each side."""
    rows = np.array([[93.0, 93.1], [93.2, 10.0]])
    (wide,), (found,) = verdicts(rows, [2]), verdicts(rows, [2], scale="percent")
    assert wide.interval[0] < -100
    assert wide.interval[1] > 100
    assert found.interval == found.simultaneous == found.bounds == (-100, 100)
    assert "-100.00 to +100.00" in sentence(found, ACCURACY)


def test_a_bound_holds_in_nineteen_of_twenty():
    rng, wrong, total = np.random.default_rng(8), 0, 2000
    for _ in range(total):
        (verdict,) = verdicts(rng.normal(93, 0.1, (2, 4)), [4], paired=False)
        wrong += verdict.bounds[0] > 0
    assert 0.035 < wrong / total < bound(total)


def test_an_analysis_waits_for_its_seeds():
    rng = np.random.default_rng(2)
    assert verdicts(draw(rng, 2, 4), [5]) == [None]
    (verdict,) = verdicts(draw(rng, 2, 7, std=3), [3, 5, 8])
    assert (verdict.analysis, verdict.difference.n) == (1, 5)


def test_the_interval_of_a_sequential_study_is_wider_than_that_of_a_fixed_one():
    rows = draw(np.random.default_rng(3), 2, 8, std=1)
    fixed, interim, unplanned = (
        verdicts(rows, counts, planned=planned)[0].interval
        for counts, planned in (((8,), True), ((3, 5, 8, 13, 20), True), ((8,), False))
    )
    assert unplanned[0] < interim[0] < fixed[0] < fixed[1] < interim[1] < unplanned[1]


@pytest.mark.parametrize("paired", [True, *in_full(False)])
@pytest.mark.parametrize(("variants", "ratio"), [(6, 5), *in_full((6, 1.5), (9, 2))])
def test_dunnett_is_not_wrong_too_often_where_the_base_spreads_more(variants, ratio, paired):
    """Before: 17 % false with five times the spread, and 78 % coverage."""
    rng, wrong, covered, studies = np.random.default_rng([variants, paired]), 0, 0, 400
    for _ in range(studies):
        rows = rng.normal(size=(variants, 5)) * np.array([ratio] + [1] * (variants - 1))[:, None]
        found = verdicts(rows, [5], 1e-9, paired, test="dunnett")
        wrong += any(v.kind in ("better", "worse") for v in found)
        covered += found[0].interval[0] <= 0 <= found[0].interval[1]
    assert wrong / studies < 0.05 + 3 * (0.05 * 0.95 / studies) ** 0.5
    assert covered / studies > 0.92


def test_dunnett_finds_more_than_holm():
    rng = np.random.default_rng(4)
    found = {"holm": 0, "dunnett": 0}
    for _ in range(150):
        rows = draw(rng, 9, 5, shifts=(0, 0.3, 0.3))
        for test in found:
            found[test] += sum(v.kind == "better" for v in verdicts(rows, [5], test=test)[:2])
    assert found["dunnett"] > 1.15 * found["holm"]


def bound(studies, rate=0.05):
    """A rate that a true one of 5 % exceeds once in a thousand simulations."""
    return rate + 3.1 * (rate * (1 - rate) / studies) ** 0.5


@pytest.mark.parametrize("test", ["holm", *in_full("dunnett")])
@pytest.mark.parametrize("counts", [(5,), *in_full([3, 5, 8])])
def test_a_difference_at_the_margin_is_rarely_called_within_it(test, counts):
    # Eight variants, each exactly as much worse or better as would matter: corrected as a family.
    rng, wrong, total = np.random.default_rng(5), 0, 250
    for _ in range(total):
        rows = draw(rng, 9, counts[-1], shifts=(0, *[0.2, -0.2] * 4))
        false = {True: ("within", "not better"), False: ("within", "not worse")}
        wrong += any(v.kind in false[i % 2 == 0] or v.small for i, v in enumerate(verdicts(rows, counts, test=test)))
    assert wrong / total <= bound(total)


def spent(rng, variants, spread, paired, most=30):
    """Whether a study of five seeds, to which a user adds seeds until something is better or worse, comes to that."""
    rows = draw(rng, variants, most, spread, common=0.5 if paired else 0.0)
    if any(v.kind in ("better", "worse") for v in verdicts(rows[:, :5], [5], paired=paired)):
        return True
    return any(v.kind in ("better", "worse") for n in range(6, most + 1, 2)
               for v in verdicts(rows[:, :n], [n], paired=paired, planned=False))  # fmt: skip


@pytest.mark.parametrize("spread", ["skewed", *in_full(*sorted(set(SPREADS) - {"skewed"}))])
def test_adding_seeds_until_there_is_a_verdict_is_rarely_wrong(spread):
    rng, total = np.random.default_rng(6), 500
    assert sum(spent(rng, 2, spread, True) for _ in range(total)) / total <= bound(total)
    assert sum(spent(rng, 5, spread, False) for _ in range(total // 5)) / (total // 5) <= bound(total // 5)


@pytest.mark.parametrize("spread", ["skewed", *in_full(*sorted(set(SPREADS) - {"skewed"}))])
@pytest.mark.parametrize("paired", [True, *in_full(False)])
def test_stopping_at_any_planned_analysis_is_rarely_wrong(spread, paired):
    rng, total = np.random.default_rng(7), 400
    wrong = sum(any(v.kind in ("better", "worse") for v in verdicts(
        draw(rng, 3, 20, spread, common=0.5 * paired), (3, 5, 8, 13, 20), paired=paired, margin=1e-9))
        for _ in range(total))  # fmt: skip
    assert wrong / total <= bound(total)
