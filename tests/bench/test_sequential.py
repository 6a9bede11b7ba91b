"""The simulation of stopping rules finds what it is for: a rule that is wrong too often, and those that are not."""

import pytest
import sequential
import unplanned
from conftest import in_full

STUDIES = 150
CHANGES = 100  # studies that are changed, which are written


def test_only_the_naive_rule_is_wrong_too_often():
    limit = 0.05 + 3.1 * (0.05 * 0.95 / STUDIES) ** 0.5
    found = {rule: sequential.wrong(rule, "normal", 2, 12, True, STUDIES) for rule in sequential.RULES}
    assert found.pop("naive") > limit
    assert max(found.values()) <= limit


def test_a_sequential_study_spends_fewer_seeds_than_a_fixed_one_of_equal_power():
    power, seeds = sequential.spent("normal", 2, 20, 1.0, STUDIES)
    assert 0.85 < power < 1
    assert 3 < seeds < sequential.equal(power, 1.0, 1) < 20


@pytest.mark.parametrize(("rule", "variants", "seeds"), [
    ("delete_all_but_best", 9, 5), ("add_one", 5, 5), *in_full(("rename_and_double", 2, 3), ("best_of_all", 4, 5)),
])  # fmt: skip
def test_who_changes_a_study_after_looking_is_rarely_wrong(rule, variants, seeds):
    limit = 0.05 + 3.1 * (0.05 * 0.95 / CHANGES) ** 0.5
    assert unplanned.wrong(rule, variants, seeds, CHANGES) <= limit


def test_without_the_history_the_best_variant_would_often_be_better():
    limit = 0.05 + 3.1 * (0.05 * 0.95 / CHANGES) ** 0.5
    assert unplanned.wrong("delete_all_but_best", 9, 5, CHANGES, forget=True) > limit
