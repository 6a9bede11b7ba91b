"""Verdicts on new seeds: right at each stopping rule of a user, and the sentences that say them."""

import numpy as np
import pytest
import reproduce
from study_simulation import SPREADS

from dawn.config.study import Sequential
from dawn.core.cli import InputError
from dawn.reproduction.analyses import LAST, Published, announced, half_width, looks, planned
from dawn.reproduction.single import single
from dawn.reproduction.verdict import decide
from dawn.studies.sequential import levels

ROWS = 400  # simulated reproductions
LIMIT = 5 + 310 * (0.05 * 0.95 / ROWS) ** 0.5  # percent
WIDE = Published(200, 94.0, 0.14)


def seeds(count, mean=94.0, std=0.14, seed=0, spread="normal"):
    return list(mean + std * SPREADS[spread](np.random.default_rng(seed), count))


@pytest.mark.parametrize(("n", "margin"), [(3, 1.33), (10, 3.0), (200, 1.33)])
@pytest.mark.parametrize("spread", SPREADS)
def test_wrong_verdicts_are_rare_and_announced_seeds_are_enough(n, margin, spread):
    cell = reproduce.chances(spread, n, margin, ROWS)
    assert cell["different"] <= LIMIT
    assert cell["equivalent"] <= LIMIT
    assert cell["missed"] <= 20
    if n > 3:
        assert cell["any"] > 70
        assert cell["power"] >= 80 - 310 * (0.8 * 0.2 / ROWS) ** 0.5
    else:
        assert cell["any"] == 0


def test_equivalence_by_the_new_spread_alone_is_rarely_wrong_for_normal_values():
    cell = reproduce.chances("normal", 30, 1.33, ROWS, known=False)
    assert max(cell["different"], cell["equivalent"]) <= LIMIT


def test_the_simulation_decides_as_the_command_does():
    rng = np.random.default_rng(4)
    for shift in (0.0, 0.7, 1.5):
        published, new = rng.normal(size=(1, 30)), shift + rng.normal(size=(1, 60))
        of = Published.of(list(published[0]))
        result = reproduce.analysed(published, new, 1.33, of.std)
        decided = np.flatnonzero((result.equivalent | result.different)[0])
        answer = decide(of, list(new[0]), 1.33, "any")
        counts = looks(of, 1.33, 60)
        assert answer.seeds == counts[decided[0] if len(decided) else -1]
        assert (answer.verdict == "undecided") == (not len(decided))


@pytest.mark.parametrize("shift", [0.0, 0.1, 0.5])
def test_a_verdict_stands_however_often_it_is_asked_for_and_whatever_seeds_follow(shift):
    new = seeds(60, 94.0 + shift, seed=2)
    answers = [decide(WIDE, new[:count], 0.2, "percent") for count in range(1, 61)]
    decided = [answer for answer in answers if answer.verdict != "undecided"]
    assert decided
    assert set(decided) == {decided[0]}
    assert answers[decided[0].seeds - 1] == decided[0]
    assert all(answer.verdict == "undecided" for answer in answers[: decided[0].seeds - 1])


def test_more_seeds_are_analysed_as_if_they_had_been_planned():
    for published in (WIDE, Published(3, 94.0, 0.14), Published(30, 94.0)):
        longest = looks(published, 0.2, 1000)
        assert all(looks(published, 0.2, most) == longest[: len(looks(published, 0.2, most))] for most in (4, 20, 70))
        assert longest[: len(planned(published, 0.2))] == planned(published, 0.2)


def test_the_last_planned_analysis_has_the_level_that_an_announcement_supposes():
    for last in (6, 20, 32, 100):
        assert levels(Sequential(first=5, most=last).counts, 0.09)[-1] >= LAST * 0.09


def test_seeds_are_announced_where_enough_of_them_can_decide():
    numbers = [announced(Published(200, 94.0, std), 0.2) for std in (0.02, 0.1, 0.15, 0.2)]
    assert numbers == sorted(numbers)
    assert numbers[0] == 5
    assert 20 <= numbers[2] <= 32
    assert announced(Published(30, 94.0, 0.5), 0.2) is None  # their mean is too uncertain
    assert announced(Published(9, 94.0, 0.01), 0.2) is None
    assert announced(Published(200, 94.0), 0.2) is None


def test_a_verdict_is_within_its_interval():
    equivalent = decide(WIDE, seeds(40), 0.2, "percent")
    assert equivalent.verdict == "equivalent"
    assert -0.2 < equivalent.low < equivalent.difference < equivalent.high < 0.2
    assert equivalent.text.startswith("Equivalent within 0.2: new minus published ")
    lower = decide(WIDE, seeds(40, 93.5), 0.2, "percent")
    assert lower.verdict == "different"
    assert lower.low < lower.difference < lower.high < 0
    assert "lower than published" in lower.text


def test_as_many_more_seeds_of_the_same_kind_as_are_named_decide():
    new = [94.12 + 0.14 * z for z in (1, -1, 0.5, -0.5, 0)]
    answer = decide(WIDE, new, 0.2, "percent")
    assert answer.verdict == "undecided"
    assert f"About {answer.more} more would decide." in answer.text
    more = [*new, *(94.12 + 0.11 * (-1) ** i for i in range(answer.more))]
    assert decide(WIDE, more, 0.2, "percent").verdict == "equivalent"
    assert decide(WIDE, more[:-1], 0.2, "percent").verdict == "undecided"


def test_where_the_published_mean_is_too_uncertain_no_number_of_seeds_is_named():
    answer = decide(Published(3, 94.0, 0.3), seeds(40), 0.2, "percent")
    assert (answer.verdict, answer.more) == ("undecided", None)
    assert "no number of new seeds decides 0.2 against 3 published" in answer.text


def test_few_seeds_with_a_small_spread_by_chance_make_no_narrow_interval():
    tiny, one = np.array(1e-6), np.array(1.0)
    assert (
        half_width(3, 20, tiny, one, 0.05) > 2 * (0.9 / 3 + 1 / 20) ** 0.5
    )  # the mean of 3 has the error of new seeds
    assert half_width(200, 5, tiny, one, 0.05) == pytest.approx(2.776 / 5**0.5, rel=1e-3)  # by the 5 seeds alone
    assert half_width(200, 200, one, one, 0.05) == pytest.approx(1.966 / 100**0.5, rel=1e-3)


def test_seeds_without_spread_and_too_few_seeds_have_no_interval():
    equal = decide(Published(5, 94.0, 0.0), [94.0] * 20, 0.2, "percent")
    few = decide(WIDE, seeds(3), 0.2, "percent")
    for answer in (equal, few):
        assert (answer.verdict, answer.low, answer.high) == ("undecided", None, None)
    assert "show no spread" in equal.text
    assert few.more == 2
    with pytest.raises(InputError, match="no new seed"):
        decide(WIDE, [], 0.2, "percent")


def test_an_interval_stays_in_the_range_of_a_difference():
    answer = decide(Published(2, 50.0, 40.0), seeds(5, 50, 40), 5, "percent")
    assert -100 <= answer.low < answer.high <= 100


def test_one_published_training_is_predicted_and_never_decided():
    new = seeds(40)
    for mean, word in ((94.1, "contains"), (95.0, "misses")):
        answer = decide(Published(1, mean), new, 0.2, "percent")
        assert (answer.verdict, answer.seeds, answer.low, answer.more) == ("undecided", 10, None, None)
        assert word in answer.text
    assert looks(Published(1, 94.0), 0.2, 40) == (10,)


@pytest.mark.parametrize("spread", SPREADS)
def test_a_prediction_interval_holds_one_more_training(spread):
    rows = SPREADS[spread](np.random.default_rng(5), (1000, 11))
    held = np.mean([single(Published(1, row[-1]), list(row[:-1]), "any")[2] for row in rows])
    assert 0.9 < held < 0.98


def test_a_prediction_stays_in_the_range_of_the_measure():
    low, high, inside = single(Published(1, 99.9), [99.0, 99.9, 99.5], "percent")
    assert high == 100
    assert low < 99
    assert inside
    assert single(Published(1, 1.0), [0.1, 2.0, 1.0], "positive")[0] == 0
    with pytest.raises(InputError, match="train 3 or more"):
        single(Published(1, 94.0), [94.0, 94.1], "percent")
