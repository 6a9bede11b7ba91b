"""Successive halving, proposals, the winner's study and the page, on results written by hand; training is elsewhere."""

import math
import re

import numpy as np
import optuna
import pytest
import yaml
from archives import call
from conftest import ROOT
from search_files import run_rung, write_plan

from dawn import search
from dawn.config.plan import plan
from dawn.core.cli import InputError
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.searches import page, trials, winner
from dawn.searches.proposals import propose
from dawn.searches.winner import optimism, seeds


def rung(directory, round, rung):
    """Propose the trials of a rung; what is refused, or None."""
    out = directory / f"round-{round}" / f"rung-{rung}.json"
    return call(search.main, "propose", directory, "--round", round, "--rung", rung, "--out", out)


def finish(directory, plan, accuracy):
    """Run all rungs with a made-up accuracy, and return the trials of each."""
    found = {}
    for place in range(plan.search.rounds):
        for level in range(len(plan.counts)):
            assert rung(directory, place, level) is None
            found[place, level] = run_rung(directory, place, level, lambda n, s, e=level: accuracy(n, s, e))
    return found


@pytest.fixture(scope="module")
def searched(tmp_path_factory):
    """A search whose best peak is 0.1, and in which trial 2 diverges; finished, with its page."""
    found, directory = write_plan(tmp_path_factory.mktemp("search"))

    def accuracy(number, settings, level):
        if number == 2:
            return None
        return 60 + 10 * level - 8 * abs(math.log10(settings["train.schedule.peak"]) + 1) + (number == 0)

    rungs = finish(directory, found, accuracy)
    assert call(search.main, "page", directory) is None
    return found, directory, rungs


def test_the_best_of_each_rung_go_on_and_the_base_with_them(searched):
    found, directory, rungs = searched
    assert rungs[0, 0] == [0, 1, 2, 3, 4]
    assert rungs[1, 0] == [5, 6, 7, 8]
    first = {t.number: t.accuracies[0] for t in trials.load(found, directory, 1)}
    best = sorted((n for n in first if n not in (0, 2)), key=first.get, reverse=True)[:2]
    assert rungs[0, 1] == [0, *sorted(best)]
    assert len(rungs[1, 1]) == 2


def test_a_trial_is_the_experiment_of_its_settings_and_its_rungs_epochs(searched):
    _, directory, _ = searched
    for trial in read_json(directory / "round-0/rung-1.json")["trials"]:
        written = yaml.safe_load((directory / f"round-0/rung-1/trial-{trial['trial']}/params.yaml").read_text())
        assert written["train"]["epochs"] == 2
        assert written["data"]["holdout"] == 20
        assert written["model"]["width"] == trial["settings"]["model.width"]
        assert written["train"]["schedule"]["peak"] == trial["settings"]["train.schedule.peak"]


def test_the_page_says_that_the_winner_is_optimistic_and_what_decides(searched):
    found, directory, _ = searched
    text = (directory / "page.md").read_text()
    best = trials.winner_of(found, trials.load(found, directory, 2))
    assert f"{best.name} (winner)" in text
    assert "This accuracy is optimistic, because the search chose the best of 8 trials by it" in text
    assert "snakemake study --config study=results/searches/mine/mine-winner.yaml" in text
    assert "the test split was not read" in text
    assert re.search(r"\| trial 2 \| 0 \|.*diverged", text)
    assert (directory / "page.html").read_text().count("data:image/png;base64,") == 1
    rows = (directory / "trials.csv").read_text().splitlines()
    assert rows[0] == "trial,round,train.schedule.peak,model.width,accuracy_1_epochs,accuracy_2_epochs,seconds"
    assert len(rows) == 1 + 9


def test_the_command_of_the_winners_study_is_that_of_the_directory_of_the_search(searched, monkeypatch, tmp_path):
    found, _, _ = searched
    (tmp_path / "experiments/photos").mkdir(parents=True)
    for folder, line in {
        "experiments/photos": "study=experiments/photos/results/searches/mine/mine-winner.yaml name=photos",
        ".": "study=results/searches/mine/mine-winner.yaml",
    }.items():
        monkeypatch.chdir(tmp_path / folder)
        assert winner.command(found) == f"snakemake study --config {line}"


def test_the_winners_study_is_valid_has_fresh_seeds_and_the_searchs_data(searched):
    found, directory, _ = searched
    study = plan(directory / "mine-winner.yaml", ROOT / "params.yaml", ROOT / "workflow/presets", {})
    best = trials.winner_of(found, trials.load(found, directory, 2))
    base, winner = (variant.experiment for variant in study.variants.values())
    assert base == found.base.model_copy(update={"seeds": study.shared.seeds})
    assert winner.train.schedule.peak == best.settings["train.schedule.peak"]
    assert winner.train.epochs == base.train.epochs == 2
    assert found.search.seed not in study.shared.seeds
    assert len(study.shared.seeds) == seeds(found, best.settings) == 7  # 1 point at a spread of 0.5, paired
    assert study.shared.data == found.base.data
    assert study.directory == "results/studies/mine-winner"


def test_optunas_own_tools_open_the_journal(searched):
    found, directory, _ = searched
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(directory / "optuna.log")))
    study = optuna.load_study(study_name="mine", storage=storage)
    best = trials.winner_of(found, trials.load(found, directory, 2))
    states = [trial.state.name for trial in study.trials]
    assert states.count("COMPLETE") == 4 + 1  # two trials of each round, and the base
    assert study.best_value == max(best.accuracies[-1], 71)
    assert {t.user_attrs["trial"] for t in study.trials} == set(range(9))


def test_a_rung_that_is_proposed_again_is_the_same(searched):
    _, directory, _ = searched
    for place, level in ((0, 0), (0, 1), (1, 0)):
        path = directory / f"round-{place}" / f"rung-{level}.json"
        before = path.read_text()
        assert rung(directory, place, level) is None
        assert path.read_text() == before


def test_later_rounds_come_nearer_to_the_best(tmp_path):
    found, _ = write_plan(tmp_path, trials=12, space={"train.schedule.peak": {"low": 0.001, "high": 10, "log": True}},
                          epochs={"first": 1, "most": 1})  # fmt: skip

    def distance(settings):
        return abs(math.log10(settings["train.schedule.peak"]) + 1)

    before = []
    means = []
    for place in range(3):
        new = [trials.Trial(1 + place * 12 + i, place, s) for i, s in enumerate(propose(found, place, before))]
        for trial in new:
            trial.accuracies.append(90 - 10 * distance(trial.settings))
        before += new
        means.append(np.mean([distance(trial.settings) for trial in new]))
    assert len(before) == 36
    assert means[2] < 0.6 * means[0]


def test_the_first_round_covers_the_space_evenly(tmp_path):
    found, _ = write_plan(tmp_path, trials=16, space={"train.clip": {"low": 0.001, "high": 1},
                                                      "train.ema": {"low": 0.1, "high": 0.9}})  # fmt: skip
    drawn = [s["train.clip"] for s in propose(found, 0, [])]
    assert set(np.digitize(drawn, [0.25, 0.5, 0.75])) == {0, 1, 2, 3}


def test_a_small_space_is_tried_once_and_no_trial_twice(tmp_path):
    found, _ = write_plan(tmp_path, trials=10, space={"model.width": {"choices": [4, 6, 8]}})
    new = propose(found, 0, [trials.Trial(0, 0, {"model.width": 4})])
    assert sorted(s["model.width"] for s in new) == [6, 8]


def test_settings_that_are_valid_only_apart_are_not_proposed(tmp_path):
    found, _ = write_plan(tmp_path, trials=6, space={"train.batch": {"choices": [4, 6, 8]},
                                                     "train.accumulate": {"choices": [1, 4]}})  # fmt: skip
    new = propose(found, 0, [])
    assert {"train.batch": 6, "train.accumulate": 4} not in new
    assert len(new) == 5


@pytest.mark.parametrize(("round", "rung"), [(9, 0), (0, 2), (-1, 0)])
def test_a_rung_that_the_search_does_not_have_is_refused(tmp_path, round, rung):
    _, directory = write_plan(tmp_path)
    line = ["propose", directory, f"--round={round}", f"--rung={rung}", "--out", tmp_path / "rung.json"]
    said = call(search.main, *line)
    assert said == f"dawn.search: --round {round} --rung {rung}: the last one of the search is round 1, rung 1"


def test_a_result_of_other_settings_is_refused(tmp_path):
    found, directory = write_plan(tmp_path)
    assert rung(directory, 0, 0) is None
    run_rung(directory, 0, 0, lambda number, settings: 50.0)
    path = directory / "round-0/rung-0/trial-3/trial.json"
    write_json(path, read_json(path) | {"cause": "{}"})
    with pytest.raises(InputError, match=r"trial-3/trial.json was trained with other settings; delete it"):
        trials.load(found, directory, 0, 1)


def test_a_search_in_which_all_diverge_ends_with_one_line(tmp_path):
    _, directory = write_plan(tmp_path)
    assert rung(directory, 0, 0) is None
    run_rung(directory, 0, 0, lambda number, settings: None)
    assert rung(directory, 0, 1).endswith(
        "every trial diverged in the first 1 rungs; lower the learning rates of the space"
    )
    assert not (directory / "round-0/rung-1.json").exists()


def test_a_winner_no_better_than_the_base_is_said_to_be_none(tmp_path):
    found, directory = write_plan(tmp_path, rounds=1)
    finish(directory, found, lambda number, settings, level: 90.0 - number)
    known = trials.load(found, directory, 1)
    text = page.result(found, known, trials.winner_of(found, known))
    assert text.startswith("No trial was better on the hold-out split than the base, which has 90.00 %. The best of")


def test_a_study_of_too_many_seeds_is_refused(tmp_path):
    found, _ = write_plan(tmp_path, spread=5, difference=0.1)
    (tmp_path / "search").mkdir()
    _, directory = write_plan(tmp_path / "search", spread=5, difference=0.1)
    refusal = rung(directory, 0, 0)  # before anything is trained
    assert "seeds a variant to detect 0.1 points; raise difference or most_seeds" in refusal
    with pytest.raises(InputError, match=r"needs (over 10,000|\d+) seeds a variant"):
        seeds(found, {})
    unpaired, _ = write_plan(tmp_path, space={"train.batch": {"choices": [8, 16]}})
    assert seeds(unpaired, {"train.batch": 8}) == seeds(unpaired, {"train.batch": 16}) - 1


def halving(rng, trials, rounds, stays):
    """The winner's last accuracy in a search of 9, 3 and 1 trials without differences, a search at a time."""
    best = -np.inf
    for _ in range(rounds):
        own = rng.normal(size=trials)
        while True:
            seen = stays**0.5 * own + (1 - stays) ** 0.5 * rng.normal(size=len(own))
            if len(own) == 1:
                break
            own = own[np.argsort(-seen)[: len(own) // 3]]
        best = max(best, seen[0])
    return best


@pytest.mark.parametrize("rounds", [1, 2])
def test_the_optimism_is_that_of_simulated_searches(rounds):
    """Before: that of the last rung alone, 0 here with one round, where it is up to 1.5 spreads."""
    rng = np.random.default_rng(rounds)
    ends = [optimism((9, 3, 1), rounds, persistent) for persistent in (False, True)]
    seen = [np.mean([halving(rng, 9, rounds, stays) for _ in range(4000)]) for stays in (0, 0.75, 1)]
    assert (ends[0], ends[1]) == pytest.approx((seen[0], seen[2]), abs=0.06)
    assert ends[0] < seen[1] < ends[1]
    assert seen[1] > 1.1


def test_the_optimism_of_one_rung_is_the_best_of_all():
    draws = np.random.default_rng(0).normal(size=(40_000, 8)).max(axis=1).mean()
    assert optimism((8,), 1, False) == pytest.approx(draws, rel=0.02)
    assert optimism((4,), 2, True) == pytest.approx(draws, rel=0.02)
