"""The simulation of stopping rules finds what it is for: a rule that is wrong too often, and those that are not."""

import sequential

STUDIES = 150


def test_only_the_naive_rule_is_wrong_too_often():
    limit = 0.05 + 3.1 * (0.05 * 0.95 / STUDIES) ** 0.5
    found = {rule: sequential.wrong(rule, "normal", 2, 12, True, STUDIES) for rule in sequential.RULES}
    assert found.pop("naive") > limit
    assert max(found.values()) <= limit


def test_a_sequential_study_spends_fewer_seeds_than_a_fixed_one_of_equal_power():
    power, seeds = sequential.spent("normal", 2, 20, 1.0, STUDIES)
    assert 0.85 < power < 1
    assert 3 < seeds < sequential.equal(power, 1.0, 1) < 20
