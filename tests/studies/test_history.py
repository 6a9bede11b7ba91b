"""Verdicts do not change with what is deleted, and the page says what was not planned: on written results."""

import json
import multiprocessing
import shutil

import numpy as np
import pytest
from archives import call
from study_files import other_settings
from written_studies import SHOWN, Results

from dawn import compare, interim
from dawn import study as study_command
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.studies.outcome import load
from dawn.studies.records import checksum
from dawn.studies.sequential import PLANNED, levels
from dawn.studies.variants import of_variant

pytestmark = pytest.mark.usefixtures("undrawn")
EXPERIMENTS, SEEDS = 6, 12


@pytest.fixture(scope="module")
def shared():
    results = Results(EXPERIMENTS, SEEDS)
    yield results
    results.close()


@pytest.fixture
def results(shared):
    """Values of six experiments; the second is better than the first, the third is far better, the rest are not."""
    rng = np.random.default_rng(3)
    values = 93 + rng.normal(size=(len(SHOWN), EXPERIMENTS, SEEDS)) * 0.1
    values[:, 1:3] += np.array([0.3, 3.0])[None, :, None]
    shared.fill(values)
    return shared


def said(folder, file="table.md"):
    return (folder / file).read_text()


def by_name(verdicts):
    return {v.comparison.name: (v.adjusted, v.not_worse, v.not_better, v.simultaneous) for v in verdicts}


@pytest.mark.parametrize("test", ["holm", "dunnett"])
def test_the_verdicts_that_remain_are_those_of_the_whole_study(results, test):
    whole = by_name(results.look("a", [0, 1, 2, 3, 4], seeds=5, test=test))
    for left in ([0, 1, 2, 3], [0, 3], [0, 1]):
        again = by_name(results.look("a", left, seeds=5, test=test))
        assert again == {name: whole[name] for name in again}
    shutil.rmtree(results.studies / "a")
    (renamed,) = results.look("b", [0, 1], seeds=5, test=test, label="w")
    assert by_name([renamed])["w1"] == whole["v1"]


def test_of_a_sequential_study_what_was_deleted_counts_at_later_analyses(results):
    plan = {"seeds": 8, "analyses": [3, 5, 8]}
    results.look("a", [0, 3, 4, 5, 2], 3, **plan)
    found = {v.comparison.name: v for v in results.look("a", [0, 3], 5, **plan)}
    verdict = found["v3"]
    assert verdict.analysis == 1
    # Of four comparisons the one with v2 was rejected at the first analysis; three are left, two of them deleted.
    assert verdict.adjusted == pytest.approx(min(1, verdict.p * 0.05 / levels((3, 5, 8), PLANNED / 3)[1]))


def test_reversed_it_is_the_same_comparison(results):
    (one,) = results.look("a", [0, 1], seeds=5)
    (other,) = results.look("a", [0, 1], seeds=5, against=1)
    assert (one.kind, other.kind) == ("better", "worse")
    assert (other.adjusted, other.difference.mean) == (one.adjusted, pytest.approx(-one.difference.mean))


def test_the_page_lists_what_was_compared_before(results):
    folder = results.write("a", [0, 2, 3, 4], seeds=5)
    assert call(study_command.main, folder) is None
    assert "Compared before" not in said(folder)
    folder = results.write("b", [0, 2], seeds=5, label="w")
    assert call(study_command.main, folder) is None
    day = read_json(results.studies / "history.json")["groups"][0]["when"]
    words = f"Compared before over these experiments, and not here: v3, v4 against v0 (study a, {day})."
    assert words in said(folder)
    assert words in said(folder, "page.html")
    assert "w2 is better than w0" in said(folder)


def test_the_page_says_at_which_level_what_was_added_is_tested_and_what_to_do(results, capsys):
    folder = results.write("a", [0, 3], seeds=5)
    assert call(study_command.main, folder) is None
    results.write("a", [0, 3, 2], seeds=5)
    assert call(study_command.main, folder) is None
    assert "v2 against v0: a new variant, added on " in said(folder)
    assert ", is tested at 0.1 %. At the full level of 4.5 % is tested what is planned as a whole" in said(folder)
    results.write("a", [0, 3, 2], seeds=5, against=3)
    assert call(interim.main, folder, "--analysis", 1, "--out", folder / "analyses/1.json") is None
    printed = capsys.readouterr().err
    assert "v2 against v3: chosen on" in printed
    assert "so it is one of 18 that are tested at 0.0042 %" in printed  # three pairs in six quantities, 0.025 % / 6
    assert "Compared before over these experiments, and not here: v2 against v0 (study a" in printed


def test_an_added_variant_is_tested_at_its_level(results):
    results.look("a", [0, 3], seeds=5)
    found = {v.comparison.name: v for v in results.look("a", [0, 3, 2], seeds=5)}
    assert found["v2"].adjusted == pytest.approx(found["v2"].p * 0.05 / (0.9 * 0.001))
    assert found["v3"].adjusted == pytest.approx(min(1, found["v3"].p * 0.05 / 0.045))


def test_another_measure_is_chosen_from_what_was_seen_and_the_first_one_keeps_its_verdict(results):
    before = by_name(results.look("a", [0, 1, 3], seeds=5))
    folder = results.write("a", [0, 1, 3], seeds=5, measure="loss")
    found = load(folder, note=True)
    assert other_settings(found) == ["measure was accuracy and is loss"]
    (verdict, _) = found.verdicts
    assert verdict.adjusted == pytest.approx(min(1, verdict.p * 18 * 0.05 / (0.9 * 0.000125)))
    assert by_name(results.look("a", [0, 1, 3], seeds=5)) == before


def test_the_first_test_stays_and_another_difference_is_for_any(results):
    before = results.look("a", [0, 1, 2, 3], seeds=5, difference=0.5)
    folder = results.write("a", [0, 1, 2, 3], seeds=5, difference=0.6, test="dunnett")
    outcome = load(folder, note=True)
    assert other_settings(outcome) == ["difference was 0.5 and is 0.6", "test was holm and is dunnett"]
    text = " ".join(outcome.unplanned)
    assert "The first test is used." in text and "corrected by Bonferroni" in text
    assert [v.adjusted for v in outcome.verdicts] == [v.adjusted for v in before]
    for v in outcome.verdicts:  # three comparisons, none of which helps the others
        one_sided = v.difference.p_margin(0.6, above=True)
        assert v.not_better == pytest.approx(min(1, 3 * one_sided * 0.05 / 0.045))


def test_seeds_that_were_not_planned_are_so_after_everything_was_renamed(results):
    (planned,) = results.look("a", [0, 3], seeds=5)
    (more,) = results.look("b", [0, 3], seeds=10, label="x")
    assert (planned.planned, more.planned, more.difference.n) == (True, False, 10)


def test_seeds_cannot_be_chosen_from_those_that_were_seen(results):
    results.look("a", [0, 3], seeds=6)
    folder = results.write("a", [0, 3], seeds=[0, 1, 3, 5])
    outcome = load(folder, note=True)
    (verdict,) = outcome.verdicts
    assert (verdict.planned, verdict.difference.n) == (False, 2)  # up to seed 2, which is missing
    assert "Results of other seeds were seen (2, 4)." in " ".join(outcome.unplanned)
    assert results.look("a", [0, 3], seeds=[3, 5]) == []
    (verdict,) = results.look("a", [0, 3], seeds=[7, 5, 4, 3, 2, 1, 0])
    assert verdict.difference.n == 7
    assert results.look("a", [0, 3], seeds=6)[0].planned


def test_the_partial_page_is_a_look(results):
    folder = results.write("a", [0, 1, 3, 4], seeds=20)
    assert call(study_command.main, folder, "--partial") is None
    results.write("a", [0, 3], seeds=20)
    assert call(study_command.main, folder, "--partial") is None
    text = said(folder, "partial/table.md")
    assert "Not finished" in text and "Compared before over these experiments, and not here: v1, v4 against v0" in text
    (group,) = read_json(results.studies / "history.json")["groups"]
    assert (len(group["comparisons"]), group["kind"]) == (3, "planned")


def test_without_a_finished_seed_nothing_was_seen(results):
    folder = results.write("a", [0, 1], seeds=[99])
    assert call(study_command.main, folder, "--partial") is None
    assert not (results.studies / "history.json").exists()
    refusal = call(study_command.main, folder)
    assert "v0 has 0 of 1 seeds" in refusal
    assert not (folder / "history.json").exists()


def test_an_unfinished_study_that_is_refused_was_not_seen(results):
    folder = results.write("a", [0, 1], seeds=20)
    assert "finish the study" in call(study_command.main, folder)
    assert not (results.studies / "history.json").exists()


def test_dunnett_waits_for_variants_that_were_seen_and_deleted(results):
    plan = {"seeds": 8, "analyses": [3, 8], "test": "dunnett"}
    assert len(results.look("a", [0, 3, 4, 5], 3, **plan)) == 3
    folder = results.write("a", [0, 3, 4], **plan)
    outcome = load(folder, note=True)
    assert [v.analysis for v in outcome.verdicts] == [0, 0]  # those of the first analysis
    assert "No verdict" not in " ".join(outcome.unplanned)
    shutil.rmtree(results.studies)
    results.look("a", [0, 3, 4, 5], 2, **plan | {"analyses": [8]})
    outcome = load(results.write("a", [0, 3, 4], **plan | {"analyses": [8]}), note=True)
    assert outcome.verdicts == []
    assert "No verdict on v3 against v0, v4 against v0: Dunnett's test has one spread" in " ".join(outcome.unplanned)
    assert len(results.look("a", [0, 3, 4, 5], **plan | {"analyses": [8]})) == 3


def test_who_deletes_the_history_is_told_that_it_starts_anew(results):
    folder = results.write("a", [0, 1, 3], seeds=5)
    assert call(study_command.main, folder) is None
    assert "starts anew" not in said(folder)
    (results.studies / "history.json").unlink()
    for _ in range(2):  # and it is said for ever
        results.write("a", [0, 1], seeds=5)
        assert call(study_command.main, folder) is None
        assert said(folder).count("The history starts anew: the 5 % hold only from then on.") == 1
    renamed = results.write("b", [0, 1], seeds=5, label="w")
    assert "Study a had verdicts on" in " ".join(load(renamed).unplanned)


@pytest.mark.parametrize("shown", ["table.csv", "analyses/1.json", "partial/table.md"])
def test_verdicts_without_a_history_are_named(results, shown):
    folder = results.write("a", [0, 1], seeds=5)
    (folder / shown).parent.mkdir(exist_ok=True)
    (folder / shown).write_text("from elsewhere")
    assert "Study a had verdicts on" in " ".join(load(folder).unplanned)


def test_a_study_of_other_results_is_from_elsewhere(results):
    results.look("a", [0, 1], seeds=5)
    folder = results.write("b", [3, 4], seeds=5)
    write_json(folder / "history.json", {"in": "../history.json", "id": "of others"})
    outcome = load(folder, note=True)
    assert "or the study is from elsewhere" in " ".join(outcome.unplanned)
    assert "elsewhere" not in " ".join(load(results.write("a", [0, 1], seeds=5)).unplanned)


def old(results, folder, chosen, seeds, **over):
    """An entry of the history as older versions wrote it."""
    about = read_json(folder / "study.json")
    slugs = [slug for slug, _ in zip(about["variants"], chosen, strict=False)]
    runs = {slug: of_variant(slug, folder / slug, range(seeds)) for slug in slugs}
    return {"analyses": [seeds], "seeds": list(range(seeds)), "measure": "accuracy", "difference": 1e-9, "test": "holm",
            "comparisons": [sorted(c["weights"]) for c in about["comparisons"]],
            "variants": {slug: checksum(run.choices) for slug, run in runs.items()}} | over  # fmt: skip


def test_the_history_of_older_versions_is_read(results):
    folder = results.write("a", [0, 1, 3, 4], seeds=5)
    entry = old(results, folder, range(4), 5)
    verdicts = results.look("a", [0, 1, 3, 4], seeds=5)
    (results.studies / "history.json").unlink()
    write_json(folder / "history.json", [entry])
    assert by_name(results.look("a", [0, 1, 3, 4], seeds=5)) == by_name(verdicts)
    assert load(folder).unplanned == []
    assert not isinstance(read_json(folder / "history.json"), list)
    shutil.rmtree(results.studies)
    folder = results.write("a", [0, 1, 3, 4], seeds=5)
    write_json(folder / "history.json", [entry])
    found = load(results.write("b", [0, 3], seeds=5, label="x"), note=True)  # another study deleted two of its variants
    assert "v1, v4 against v0 (study a, " in " ".join(found.unplanned)
    (verdict,) = found.verdicts
    assert verdict.adjusted == pytest.approx(min(1, verdict.p * 3 * 0.05 / 0.045))
    (verdict,) = load(results.write("b", [0, 3], seeds=8, label="x")).verdicts
    assert not verdict.planned


def test_each_study_of_an_older_version_was_planned(results):
    for name, chosen in (("a", [0, 1, 3]), ("b", [0, 4])):
        folder = results.write(name, chosen, seeds=5)
        write_json(folder / "history.json", [old(results, folder, chosen, 5)])
    assert load(results.write("a", [0, 1, 3], seeds=5)).unplanned[1:] == []  # but that there is the other one
    (verdict,) = load(folder).verdicts
    assert verdict.adjusted == pytest.approx(min(1, verdict.p * 0.05 / 0.045))


def test_effects_of_an_older_version_keep_their_verdicts_if_the_grid_is_the_same(results):
    grid = {"grid": {"train.epochs": [1, 2], "model.width": [1, 2]}, "against": "effects"}
    whole = by_name(results.look("a", [0, 1, 2, 3], seeds=5, **grid))
    entry = old(results, results.studies / "a", range(4), 5)
    shutil.rmtree(results.studies)
    folder = results.write("a", [0, 1, 2, 3], seeds=5, **grid)
    write_json(folder / "history.json", [entry])
    assert by_name(load(folder).verdicts) == whole
    folder = results.write("a", [0, 1, 2, 3], seeds=5)  # other comparisons: the effects count, whatever they were
    assert "(study a, " in " ".join(load(folder).unplanned)
    assert {g.kind for g in load(folder).past.groups} == {"planned", "pair"}


def test_a_history_that_is_none_is_refused(results):
    folder = results.write("a", [0, 1], seeds=5)
    for text in ('{"id": 1}', "[]", "{"):
        (results.studies / "history.json").write_text(text)
        refusal = call(study_command.main, folder)
        assert "history.json" in refusal and refusal.endswith("restore or delete it")
        assert "\n" not in refusal


def note(folder):
    load(folder, note=True)


def test_two_studies_at_once_are_both_noted(results):
    folders = [results.write(f"s{i}", [i, i + 1], seeds=3, label=f"x{i}") for i in (0, 2, 4)]
    with multiprocessing.get_context("fork").Pool(3) as pool:
        pool.map(note, folders * 4)
    found = read_json(results.studies / "history.json")
    assert sorted(group["study"] for group in found["groups"]) == ["s0", "s2", "s4"]


def test_compare_gives_the_verdict_of_the_study(results):
    (_, verdict, _) = results.look("a", [0, 1, 3, 4], seeds=5)
    (found,) = results.compare("a", 0, 3)
    assert found.adjusted == verdict.adjusted
    assert results.compare("a", 3, 0)[0].adjusted == verdict.adjusted
    (added,) = results.compare("a", 3, 4)
    assert added.adjusted == pytest.approx(min(1, added.p * 36 * 0.05 / (0.9 * 0.000125)))


def test_compare_is_a_look_and_says_what_it_is_adjusted_for(results, capsys):
    folder = results.write("a", [0, 1, 3, 4], seeds=SEEDS)
    assert call(compare.main, folder / "v-0", folder / "v-1", "--difference", 1e-9) is None
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2] == "This is one of 3 comparisons of study a, and adjusted for all of them."
    assert "v-1 is better than" in lines[-1]
    results.write("a", [0, 1], seeds=SEEDS)
    assert "v3, v4 against v0" in " ".join(load(folder).unplanned)
    assert call(compare.main, folder / "v-3", folder / "v-1", "--difference", 1e-9) is None
    text = capsys.readouterr().out
    assert "chosen on" in text and "of 36 that are tested at" in text
    assert "v-1 against " in " ".join(load(folder).unplanned)
    assert call(compare.main, results.runs[0], results.runs[1]) is None
    assert capsys.readouterr().out.splitlines()[-2] == compare.ALONE


def test_compare_of_an_unfinished_study_has_no_verdict(results, capsys):
    folder = results.write("a", [0, 1], seeds=20)
    assert call(compare.main, folder / "v-0", folder / "v-1", "--difference", 1e-9) is None
    assert capsys.readouterr().out.splitlines()[-1].startswith("No verdict yet: the study is analysed at 20 seeds")
    assert json.loads((results.studies / "history.json").read_text())["groups"]


def test_compare_across_studies_with_other_plans_is_of_unplanned_seeds(results):
    results.look("a", [0, 1], seeds=5)
    results.look("b", [3, 4], seeds=8)
    (found,) = results.compare("a", 0, 3, "b")
    assert not found.planned
    kinds = [group["kind"] for group in read_json(results.studies / "history.json")["groups"]]
    assert kinds == ["planned", "planned", "pair"]
