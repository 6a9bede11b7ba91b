"""Trainings that share steps are one training: they are refused or named, and get no interval."""

import json

import numpy as np
import pytest
from seed_files import seed, summarized, write_manifest
from study_files import finished

from dawn.core.cli import InputError
from dawn.core.files import sha256, write_json
from dawn.core.reading import read_json
from dawn.report.page import markdown
from dawn.results.independence import (
    equal_losses,
    first_losses,
    require_independent,
    sharing,
    starting_points,
    suspicious,
    without_intervals,
)
from dawn.results.manifest import location
from dawn.results.outliers import too_even
from dawn.studies.outcome import load
from dawn.studies.pages import suspects
from dawn.studies.variants import of_directory
from dawn.tasks.classify.race_page import page, tally

HEAD = "epoch\ttrain_loss\taccuracy\tseconds"


def training(number, start, resumed=0, first_step=0):
    return {"seed": number, "after_first_step": start, "resumed": resumed, "first_step": first_step}


ONE_WITH_THREE_ENDINGS = [training(0, "a"), training(1, "a", 1, 224), training(2, "a", 1, 224)]
INDEPENDENT = [training(0, "a"), training(1, "b", 1, 100), training(2, "c")]


def test_trainings_with_one_start_are_one():
    assert sharing(ONE_WITH_THREE_ENDINGS) == [[0, 1, 2]]
    assert sharing(INDEPENDENT) == []
    assert starting_points(ONE_WITH_THREE_ENDINGS).startswith("independent trainings: 1 of 3")
    assert starting_points(INDEPENDENT) == (
        "independent trainings: 3 of 3; continued from their own checkpoints: seed 1 at step 100"
    )
    with pytest.raises(InputError, match="seeds 0, 1 and 2 share their first step, so they are one training and not 3"):
        require_independent("results", ONE_WITH_THREE_ENDINGS)
    require_independent("results", INDEPENDENT)


def test_what_was_not_recorded_is_said_and_not_taken_for_equal():
    old = [{"seed": 0}, {"seed": 1}, training(2, "c")]
    assert sharing(old) == []
    assert starting_points(old) == "independent trainings: 3 of 3 (the first step of 2 was not recorded)"


def test_the_losses_of_the_first_epoch_are_compared_whatever_the_task():
    one, other = (
        f"{HEAD}\n1\t{loss}\t50.0\t{seconds}\n2\t0.5\t60.0\t9\n" for loss, seconds in ((2.25, 4.1), (2.26, 4.1))
    )
    again = f"{HEAD}\n1\t2.25\t51.0\t4.2\n"
    assert first_losses(one) == ("2.25",)
    assert first_losses("epoch\tcritic_loss\tgenerator_loss\n1\t0.1\t0.2\n") == ("0.1", "0.2")
    assert first_losses(HEAD) is None
    assert equal_losses({0: one, 1: other, 5: again}) == [[0, 5]]
    (text,) = suspicious({0: one, 1: other, 5: again})
    assert text.startswith("seeds 0 and 5 have equal losses in their first epoch")


def test_intervals_are_removed_at_any_depth():
    metrics = {"seeds": 2, "accuracy": {"mean": 1.0, "low": 0.5, "high": 2.0}, "a": {"b": {"low": 1, "high": 2}}}
    assert without_intervals(metrics) == {
        "seeds": 2, "accuracy": {"mean": 1.0, "low": None, "high": None}, "a": {"b": {"low": None, "high": None}},
    }  # fmt: skip


def test_a_spread_that_is_too_small_is_named():
    rng = np.random.default_rng(0)
    normal = {f"v{i}": rng.normal(94, 0.13, 10) for i in range(4)}
    assert too_even(normal, 0.13) == {}
    shared = {"v0": rng.normal(94, 0.05, 30)}
    std, p = too_even(shared, 0.13)["v0"]
    assert std == pytest.approx(shared["v0"].std(ddof=1))
    assert p < 1e-4
    assert list(too_even(normal | {"v9": rng.normal(94, 0.02, 10)}, 0.13)) == ["v9"]
    assert too_even({"v0": [94.0, 94.0], "v1": [93.9, 94.1]}, 0.13) == {}, "equal seeds have no spread"


def test_independent_seeds_are_rarely_said_to_be_too_even():
    rng, studies = np.random.default_rng(1), 4000
    wrong = sum(bool(too_even({f"v{i}": row for i, row in enumerate(rng.normal(size=(3, 5)))}, 1.0))
                for _ in range(studies))  # fmt: skip
    assert wrong <= 0.01 * studies + 3 * (0.01 * studies) ** 0.5


def run(number, start):
    phases = {"whiten": 0.1, "train": 2.0 + number / 10, "evaluate": 0.4}
    return training(number, start) | {
        "accuracy": 94.0 + number / 10, "seconds": sum(phases.values()), "seconds_by_phase": phases,
        "seconds_untimed": {"load": 1.0}, "images_per_s": 1e4 + number, "joules": None, "energy_source": None,
        "seconds_to_target": phases["train"], "parameters": 5, "precision": "fp32", "device": "cpu", "processes": 1,
    }  # fmt: skip


def test_a_race_of_one_training_with_several_endings_has_no_interval():
    shared, fair = (tally([run(i, start) for i, start in enumerate(starts)], 94.0) for starts in ("aaa", "abc"))
    text = markdown(page(shared))
    assert shared["accuracy"]["mean"] == pytest.approx(fair["accuracy"]["mean"])
    assert (shared["accuracy"]["low"], shared["clock"]["high"], shared["target"]["low"]) == (None, None, None)
    assert fair["accuracy"]["low"] < 94.1 < fair["accuracy"]["high"]
    assert "- independent trainings: 1 of 3" in text
    assert "- no intervals: seeds 0, 1 and 2 share their first step, so each is one training" in text
    assert "95 % interval 9" not in text
    assert "- independent trainings: 3 of 3" in markdown(page(fair))
    json.dumps(shared, allow_nan=False)


def record_starts(folder, starts, **over):
    for number, start in enumerate(starts):
        path = folder / f"seed-{number}" / "metrics.json"
        write_json(path, read_json(path) | {"after_first_step": start, "resumed": 0, "first_step": 0})
        write_manifest(path.parent, **over)


def test_a_summary_over_shared_trainings_is_refused(tmp_path):
    seeds = [seed(tmp_path, number, [80.0 + number]) for number in (0, 1)]
    record_starts(tmp_path, "ab")
    assert summarized(seeds, {"parameters": 1, "flops": 1}, 50.0)["seeds"] == 2
    record_starts(tmp_path, "aa")
    with pytest.raises(InputError, match=r"seeds 0 and 1 share their first step.*delete seed-1 and train again"):
        summarized(seeds, {"parameters": 1, "flops": 1}, 50.0)


def test_a_study_over_shared_trainings_is_refused(tmp_path):
    run = finished(tmp_path / "one", {0: 80.0, 1: 81.0, 2: 82.0})
    assert len(of_directory("one", run).evaluations) == 3
    tampered(run, {0: "a", 1: "b", 2: "b"})
    with pytest.raises(InputError, match="one: seeds 1 and 2 share their first step"):
        of_directory("one", run)


def tampered(folder, starts, *files):
    """Write starts into the metrics of a finished experiment, and its manifests anew, those of other files too."""
    for number, start in starts.items():
        path = folder / f"seed-{number}"
        write_json(path / "metrics.json", read_json(path / "metrics.json") | {"after_first_step": start})
        found = read_json(location(path))
        found["sha256"] |= {name: sha256(path / name) for name in ("metrics.json", *files)}
        write_json(location(path), found)


def study(folder, spread_expected, variants):
    """A finished study of accuracies by variant."""
    for name, accuracies in variants.items():
        finished(folder / name, dict(enumerate(accuracies)), model={"width": 4 + len(name)})
    names = list(variants)
    about = {
        "name": "mine", "question": "?", "variants": {name: name for name in names}, "seeds": list(range(5)),
        "analyses": [5], "task": "classify", "measure": "accuracy", "difference": 0.2, "test": "holm", "split": "test",
        "spread": spread_expected,
        "comparisons": [{"name": names[1], "base": names[0], "weights": {names[0]: -1.0, names[1]: 1.0}}],
    }  # fmt: skip
    write_json(folder / "study.json", about)
    return load(folder)


def test_the_page_of_a_study_names_seeds_that_are_too_much_alike(tmp_path):
    variants = {"base": [93.0, 93.2, 93.4, 93.1, 93.3], "other": [94.0, 94.01, 94.0, 94.02, 94.01]}
    found = suspects(study(tmp_path / "expected", 0.15, variants))
    assert found == [
        "other: the standard deviation of 5 seeds is 0.008, where the study expects 0.15 (adjusted p of independent "
        "seeds: < 0.0001). "
        "Find out whether these trainings are independent."
    ]
    assert suspects(study(tmp_path / "unexpected", None, variants)) == []


def test_the_page_of_a_study_names_seeds_with_equal_losses(tmp_path):
    variants = {"base": [93.0, 93.2, 93.4, 93.1, 93.3], "other": [94.0, 94.3, 93.9, 94.2, 94.1]}
    study(tmp_path, None, variants)
    curves = [tmp_path / f"base/seed-{number}/curve.tsv" for number in (1, 3)]
    curves[1].write_text(curves[0].read_text())
    tampered(tmp_path / "base", {3: "c"}, "curve.tsv")
    (text,) = suspects(load(tmp_path))
    assert text.startswith("base: seeds 1 and 3 have equal losses in their first epoch, to the last digit.")
