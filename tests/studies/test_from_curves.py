"""Verdicts on the hold-out and at an equal budget of seconds or FLOPs, from learning curves worked out by hand."""

import pytest
from archives import call
from study_files import finished, other_settings

from dawn import study as study_command
from dawn.core.cli import InputError
from dawn.core.files import sha256, write_json
from dawn.core.reading import read_json
from dawn.results.curve import write_curve
from dawn.results.manifest import location
from dawn.studies.from_curves import pixels
from dawn.studies.outcome import load
from dawn.tasks.classify.curve import EpochMetrics

ABOUT = {
    "name": "budget", "question": "Which is better at equal time?", "variants": {"a": "fast", "b": "slow"},
    "seeds": [0, 1, 2], "analyses": [3], "measure": "accuracy", "difference": 1, "test": "holm", "task": "classify",
    "comparisons": [{"name": "slow", "base": "fast", "weights": {"a": -1.0, "b": 1.0}}],
}  # fmt: skip
BATCH = 16  # of the experiments of the tests


def variant(folder, name, seconds, accuracies, shift, **over):
    """Three seeds whose curves have these accuracies, at these seconds."""
    run = finished(folder / name, {s: 90.0 + s / 10 for s in range(3)}, **over)
    for seed in range(3):
        path = run / f"seed-{seed}"
        write_curve(path / "curve.tsv", [
            EpochMetrics(e, 1.0, 1.0, None if a is None else 1 - a / 100, a and a + seed * shift, 0.1, 0.9, 9.0, s)
            for e, (s, a) in enumerate(zip(seconds, accuracies, strict=True), 1)
        ])  # fmt: skip
        write_json(path / "metrics.json", read_json(path / "metrics.json") | {"steps": 40, "epochs": len(seconds)})
        manifest = read_json(location(path))
        manifest["sha256"] |= {name: sha256(path / name) for name in ("curve.tsv", "metrics.json")}
        write_json(location(path), manifest)


@pytest.fixture
def study(tmp_path):
    def make(**about):
        folder = tmp_path / "budget"
        variant(folder, "a", (5, 10), (60, 80), 0.1)
        variant(folder, "b", (10, 20, 30, 40), (50, None, 90, 94), 0.2, model={"width": 8})
        write_json(folder / "study.json", ABOUT | about)
        return folder

    return make


def values(folder):
    outcome = load(folder)
    return [list(outcome.results[name].values(outcome.measure.key).values()) for name in "ab"]


def test_between_epochs_the_curve_is_linear_and_after_its_end_constant(study):
    fast, slow = values(study(budget={"seconds": 25.0, "flops": None}))
    assert fast == pytest.approx([80, 80.1, 80.2])
    assert slow == pytest.approx([80, 80.2, 80.4])  # three quarters of the way from 10 s to 30 s
    fast, slow = values(study(budget={"seconds": 10.0, "flops": None}))
    assert (fast[0], slow[0]) == (80, 50)
    fast, slow = values(study(budget={"seconds": 10.0, "flops": None}, measure="loss"))
    assert (fast[0], slow[0]) == pytest.approx((0.2, 0.5))


def test_flops_are_three_forward_passes_for_each_image(study):
    whole = 3 * 2_000_000 * 40 * BATCH
    fast, slow = values(study(budget={"seconds": None, "flops": 0.625 * whole}))
    assert fast[0] == pytest.approx(65)  # a quarter of the way from the first epoch, at a half, to the second
    assert slow[0] == pytest.approx(80)  # three quarters of the way from the first, at 0.25, to the third, at 0.75


def test_an_equal_budget_turns_the_verdict(study):
    folder = study(budget={"seconds": 10.0, "flops": None})
    assert [v.kind for v in load(folder).verdicts] == ["worse"]
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert "slow is worse than fast by 29.90 points" in text
    assert "Compared at an equal budget of 10 s" in text
    assert "| variant | seeds | accuracy at 10 s, % |" in text
    assert "for other test images" not in text  # predictions are of the ends of the trainings
    assert "\nslow,2," in (folder / "seeds.csv").read_text()
    assert "at_budget" in (folder / "seeds.csv").read_text().splitlines()[0]
    at_the_end = study(budget=None)
    (folder.parent / "history.json").unlink()
    assert [v.kind for v in load(at_the_end).verdicts] == ["cannot tell"]


def test_another_budget_after_results_were_seen_is_listed(study):
    folder = study(budget={"seconds": 10.0, "flops": None})
    assert call(study_command.main, folder) is None
    study(budget={"seconds": 20.0, "flops": None})
    outcome = load(folder)
    assert other_settings(outcome) == ["budget was 10 s and is 20 s"]
    assert "slow against fast: not tested, because any budget could have been chosen" in " ".join(outcome.unplanned)
    (verdict,) = outcome.verdicts
    assert (verdict.adjusted, verdict.simultaneous, verdict.kind) == (1.0, None, "cannot tell")
    study(budget=None)
    assert other_settings(load(folder)) == ["budget was 10 s and is none"]


def test_on_the_hold_out_the_last_value_decides(study):
    folder = study(split="holdout")
    fast, slow = values(folder)
    assert fast == pytest.approx([80, 80.1, 80.2])
    assert slow == pytest.approx([94, 94.2, 94.4])
    assert call(study_command.main, folder) is None
    text = (folder / "table.md").read_text()
    assert "slow is better than fast by 14.10 points" in text and "| hold-out accuracy, % |" in text
    assert "The test split decides nothing." in text
    assert "Other measures" not in text and "Differences in other measures" not in text  # which are of the test split
    assert "on_holdout" in (folder / "seeds.csv").read_text().splitlines()[0]
    assert not (folder / "plots/classes.png").exists()  # it is of the test split
    study(split="test")
    assert other_settings(load(folder)) == ["split was holdout and is test"]


def test_a_budget_and_the_hold_out_go_together(study):
    folder = study(split="holdout", budget={"seconds": 10.0, "flops": None})
    assert [values[0] for values in values(folder)] == [80, 50]
    assert load(folder).measure.name == "hold-out accuracy at 10 s"


def test_a_budget_before_the_first_evaluation_is_refused(study):
    with pytest.raises(
        InputError, match="budget = 7 s: slow, seed 0, was first evaluated after 10 s; raise the budget"
    ):
        load(study(budget={"seconds": 7.0, "flops": None}))


def test_smaller_images_take_fewer_flops():
    assert pixels([[0, 32]], 0.5) == 0.5
    assert pixels([[0.0, 16], [0.5, 32]], 0.75) == pytest.approx(0.5 / 4 + 0.25)
    assert pixels([[0.0, 16], [0.5, 32]], 1.0) == pytest.approx(0.5 / 4 + 0.5)
