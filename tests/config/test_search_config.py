"""A search is a file; a faulty one stops with one line before any job."""

import json

import pytest
from conftest import ROOT
from search_files import GOOD, planned

from dawn.config.plan import find
from dawn.config.search import Budget, Values, plan, stored
from dawn.core.cli import InputError
from dawn.core.files import write_text
from dawn.searches.winner import seeds

SEARCHES = ROOT / "workflow/searches"
READY = sorted(path.stem for path in SEARCHES.glob("*.yaml"))


@pytest.mark.parametrize("name", READY)
def test_a_ready_search_is_valid_and_its_study_has_a_number_of_seeds(name):
    found = plan(find(name, SEARCHES, "search", "searches"), ROOT / "params.yaml", ROOT / "workflow/presets", {})
    assert found.base.data.holdout >= 500
    assert found.counts[0] >= 2
    assert seeds(found, {}) >= 3


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        ({"settings": {**GOOD["settings"], "data": {**GOOD["settings"]["data"], "holdout": 0}}},
         "data.holdout = 0: a search never uses the test split; set data.holdout to a number of images"),
        ({"settings": {"task": "gan", **GOOD["settings"]}}, "task = gan: a search compares accuracies"),
        ({"space": {"train.epochs": {"low": 1, "high": 2}}}, "space: train.epochs cannot be searched"),
        ({"space": {"data.holdout_seed": {"choices": [1, 2]}}}, "space: data.holdout_seed cannot be searched"),
        ({"space": {"train.schedule.peek": {"low": 1, "high": 2}}}, "train.schedule.peek is not a known key; did"),
        ({"space": {"train.batch": {"low": 0.5, "high": 8}}}, "train.batch = 0.5"),
        ({"space": {"train.clip": {"low": 2, "high": 1}}}, "low = 2.0 must be below high = 1.0"),
        ({"space": {"train.clip": {"low": 0, "high": 1, "log": True}}}, "low = 0.0 must be above 0 on a logarithmic"),
        ({"space": {"train.clip": {"choices": [1, 1]}}}, "must be two different values or more"),
        ({"space": {"train.clip": {"choices": [1, 2], "low": 1}}}, "give choices: [...], or low and high"),
        ({"epochs": {"first": 3, "most": 2}}, "first = 3 must not be above most = 2"),
        ({"spread": None}, "spread is missing"),
        ({"base": "nothing"}, "base = nothing: no such preset; presets: "),
    ],
)  # fmt: skip
def test_a_faulty_search_is_refused_in_one_line(tmp_path, keys, message):
    with pytest.raises(InputError) as refused:
        planned(tmp_path, **keys)
    assert message in str(refused.value)
    assert "\n" not in str(refused.value)


def test_the_plan_hides_the_secret_of_an_address_in_any_alphabet(tmp_path):
    url = "https://host/тест.tgz?token=пароль"
    written = planned(tmp_path, {"data": {"urls": [url], "bytes": 9}}).text
    assert "https://host/тест.tgz?token=REDACTED" in written
    assert "пароль" not in written
    assert json.dumps("пароль")[1:-1] not in written


def test_the_command_line_cannot_bring_the_test_split_back(tmp_path):
    with pytest.raises(InputError, match=r"data.holdout = 0"):
        planned(tmp_path, {"data": {"holdout": 0}})


def test_rungs_multiply_the_epochs_and_end_with_the_most():
    assert Budget(first=1, most=9).rungs == (1, 3, 9)
    assert Budget(first=2, most=9, factor=2).rungs == (2, 4, 8, 9)
    assert Budget(first=4, most=4).rungs == (4,)
    assert Budget(first=0.1, most=0.3).rungs == pytest.approx((0.1, 0.3))


def test_each_rung_trains_a_fraction_of_the_trials_for_its_epochs(tmp_path):
    found = planned(tmp_path, trials=10, epochs={"first": 1, "most": 9})
    assert found.counts == (10, 3, 1)
    wide = found.experiment({"model.width": 8}, 1)
    assert (wide.model.width, wide.train.epochs, wide.seeds) == (8, 3, (0,))
    assert found.base.train.epochs == 9
    assert found.outlook == (
        "search mine: 2 rounds of 10 of 1 epochs, 3 of 3 epochs, 1 of 9 epochs, and the base; at most 31 trainings, "
        "69 epochs in all"
    )


def test_a_rung_is_chosen_by_the_one_before_also_that_of_the_round_before(tmp_path):
    found = planned(tmp_path, rounds=2, epochs={"first": 1, "most": 9})
    assert found.rungs == [(0, 0), (0, 1), (0, 2), (1, 0), (1, 1), (1, 2)]
    assert [found.before(*rung) for rung in found.rungs] == [[], *([rung] for rung in found.rungs[:-1])]


def test_a_stored_plan_is_the_plan(tmp_path):
    found = planned(tmp_path, {"train": {"batch": 8}})
    write_text(tmp_path / "search.json", found.text)
    assert stored(tmp_path) == found
    assert stored(tmp_path).base.train.batch == 8


def test_what_a_setting_may_be():
    assert Values(choices=(True, "x", [1, 2])).contains([1, 2])
    assert not Values(choices=(True, "x")).contains(1)
    whole = Values(low=1, high=8, integer=True)
    assert [whole.contains(value) for value in (1, 8, 2.5, 9, None, True)] == [True, True, False, False, False, False]
