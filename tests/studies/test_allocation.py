"""The level of each comparison, by looks at studies that are written down here, without files."""

import itertools
from math import comb

import numpy as np
import pytest

from dawn.studies.allocation import CONTRASTS, NEW, PAIRS, Look, spending, with_look
from dawn.studies.records import Contrast, History, Quantity, Seen, quantities
from dawn.studies.sequential import PLANNED, RESERVED

SHOWN = quantities("classify")
EMPTY = History(id="0", since="2026-01-01")


def pair(base, other, name=None):
    return Contrast(name=name or other, base=base, weights={base: -1.0, other: 1.0})


def look(comparisons, *, measure="accuracy", n=5, study="s", unseen="", trained=None, test="holm", **quantity):
    """A look at experiments of single letters, all but ``unseen`` with n seeds; ``trained`` names their weights."""
    names = dict.fromkeys(key for c in comparisons for key in c.weights)
    own = {key: Seen(name=key, trained=(trained or {}).get(key, f"weights of {key}"),
                     seeds=[] if key in unseen else list(range(n))) for key in names}  # fmt: skip
    return Look(study, Quantity(measure=measure, **quantity), SHOWN, list(range(n)), [n], 0.2, test, comparisons, own)


def star(base, others):
    return [pair(base, other) for other in others]


def history(*looks):
    found = EMPTY
    for one in looks:
        found = with_look(found, one, "2026-01-01")
    return found


def groups(*looks):
    """Kind, level and size of all groups after some looks."""
    return [(g.kind, pytest.approx(g.level), g.size) for g in history(*looks).groups]


FIRST = look(star("a", "bcd"))
PLAN = ("planned", PLANNED + RESERVED, 3)


def test_the_levels_leave_nothing_over_and_are_not_more_than_five_percent():
    assert PLANNED + RESERVED + 1.3 * (NEW + PAIRS + CONTRASTS) <= 0.05
    assert spending(history(FIRST).groups[0]) == (PLANNED, pytest.approx(RESERVED))


@pytest.mark.parametrize("again", [star("a", "b"), star("a", "bc"), star("a", "dcb"), [pair("b", "a")]])
def test_what_was_planned_stays_in_its_family(again):
    (group,) = history(FIRST, look(again, study="other")).groups
    assert (len(group.comparisons), group.study) == (3, "s")


def test_new_variants_share_the_next_part():
    assert groups(FIRST, look(star("a", "bcdx"))) == [PLAN, ("new", NEW / 2, 1)]
    assert groups(FIRST, look(star("a", "bxyz"))) == [PLAN, ("new", NEW / 2, 3)]
    one_by_one = [look(star("a", others)) for others in ("x", "y", "xz")]
    assert groups(FIRST, *one_by_one) == [PLAN, *(("new", NEW / (k * (k + 1)), 1) for k in (1, 2, 3))]


@pytest.mark.parametrize(
    ("comparisons", "over"),
    [
        ([pair("b", "c")], {}),  # both were seen
        ([pair("b", "a"), pair("b", "c")], {"measure": "loss"}),
        (star("a", "b"), {"measure": "accuracy", "split": "holdout"}),
        (star("a", "b"), {"measure": "top5"}),
    ],
)
def test_what_could_be_chosen_from_what_was_seen_is_one_of_all_pairs(comparisons, over):
    (plan, *added) = groups(FIRST, look(comparisons, **over))
    assert plan == PLAN
    assert added == [("pair", PAIRS / 2, comb(4, 2) * len(SHOWN))]
    assert len(SHOWN) == 6


def test_a_new_variant_against_another_base_or_by_another_measure_is_one_of_the_pairs_of_its_stage():
    for over in ({}, {"measure": "loss"}):
        assert groups(FIRST, look([pair("c", "x")], **over))[1:] == [("pair", PAIRS / 6, comb(5, 2) * len(SHOWN))]


def test_a_plan_without_a_common_base_has_as_many_as_it_has_experiments():
    ladder = look([pair("a", "b"), pair("b", "c"), pair("c", "d")])
    assert groups(ladder, look([pair("c", "d"), pair("d", "x")]))[1:] == [("new", NEW / 2, 4)]
    assert groups(ladder, look([pair("d", "x"), pair("x", "y")]))[1:] == [("new", NEW / 2, 8)]
    assert groups(ladder, look([pair("a", "x")], measure="loss"))[1:] == [("pair", PAIRS / 6, comb(5, 2) * len(SHOWN))]


def test_the_part_of_a_pair_does_not_depend_on_when_it_is_chosen():
    late = groups(FIRST, look(star("a", "xyz")), look([pair("b", "c")]))
    assert late[-1] == ("pair", PAIRS / 2, comb(4, 2) * len(SHOWN))


def test_contrasts_of_several_are_among_all_signs():
    effect = Contrast(name="e", base="f", weights={"a": -0.5, "b": -0.5, "c": 0.5, "d": 0.5})
    assert groups(FIRST, look([effect]))[1:] == [("contrast", CONTRASTS / 2, 3**4 * len(SHOWN))]
    assert groups(look([effect]), look([effect], study="t")) == [("planned", PLANNED + RESERVED, 1)]


def test_a_budget_that_was_not_planned_is_not_tested():
    (_, added) = history(FIRST, look(star("a", "bcd"), seconds=9.0)).groups
    assert (added.kind, added.level, spending(added)) == ("untested", 0.0, (0.0, 0.0))
    planned = look(star("a", "bcd"), seconds=9.0)
    assert groups(planned, look(star("a", "bx"), seconds=9.0))[1:] == [("new", NEW / 2, 1)]
    assert groups(planned, FIRST)[1:] == [("pair", PAIRS / 2, comb(4, 2) * (len(SHOWN) + 1))]


def test_other_experiments_are_another_question_until_they_are_compared():
    other = look(star("p", "qr"), study="t")
    assert groups(FIRST, other) == [PLAN, ("planned", PLANNED + RESERVED, 2)]
    (*_, across) = groups(FIRST, other, look([pair("a", "p")]))
    assert across == ("pair", PAIRS / 2, comb(7, 2) * len(SHOWN))
    # A new variant has a base of two plans to be compared with.
    assert groups(FIRST, other, look([pair("a", "p")]), look(star("a", "x")))[-1] == ("new", NEW / 2, 2)


def test_another_evaluation_of_a_training_that_was_seen_is_not_new():
    assert groups(FIRST, look(star("a", "x"), trained={"x": "weights of b"}))[1:] == [
        ("pair", PAIRS / 6, comb(5, 2) * len(SHOWN))
    ]
    again = look(star("x", "y"), trained={"x": "weights of a", "y": "weights of b"})
    assert groups(FIRST, again)[1:] == [("pair", PAIRS / 6, comb(6, 2) * len(SHOWN))]


def test_a_variant_of_which_nothing_was_seen_can_be_replaced():
    failed = look(star("a", "bcd"), unseen="d")
    (group,) = history(failed, look(star("a", "bcx"))).groups
    assert [c.name for c in group.comparisons] == ["b", "c", "x"]
    assert groups(failed, look(star("a", "bcx"), study="other"))[1:] == [("new", NEW / 2, 1)]  # it may yet be trained
    assert groups(failed, look(star("a", "bcdx")))[1:] == [("new", NEW / 2, 1)]
    assert groups(failed, look(star("a", "bcx")), look(star("a", "bcy")))[1:] == [("new", NEW / 6, 1)]


def test_added_comparisons_follow_the_plan_of_their_experiments_by_holm():
    (_, added) = history(FIRST, look(star("a", "bcdx"), n=10, test="dunnett")).groups
    assert (added.analyses, added.seeds, added.test) == ([5], [0, 1, 2, 3, 4], "holm")
    two_plans = history(FIRST, look(star("p", "q"), n=9, study="t"), look([pair("a", "p")])).groups
    assert two_plans[-1].analyses == []


def test_no_sequence_of_looks_spends_more_than_there_is():
    rng = np.random.default_rng(0)
    for _ in range(60):
        found, there = EMPTY, 3
        for _ in range(8):
            there = min(9, there + int(rng.integers(0, 3)))
            letters = [chr(97 + i) for i in rng.permutation(there)]
            chosen = list(itertools.combinations(letters, 2))
            comparisons = [pair(*chosen[i]) for i in rng.permutation(len(chosen))[: rng.integers(1, 5)]]
            if rng.random() < 0.4:
                comparisons = star("a", [letter for letter in letters if letter != "a"])
            found = with_look(found, look(comparisons, measure=str(rng.choice(["accuracy", "loss", "top5"]))), "day")
        planned = sum(g.kind == "planned" for g in found.groups)
        assert sum(g.level for g in found.groups if g.kind == "new") <= NEW + 1e-12
        parts = {(c.identity, g.quantity): g.level / g.size for g in found.groups if g.kind == "pair"
                 for c in g.comparisons}  # fmt: skip
        assert sum(parts.values()) <= PAIRS + 1e-12
        made = [(c.identity, g.quantity) for g in found.groups for c in g.comparisons]
        assert len(made) == len(set(made))
        assert planned >= 1
