"""What a study will cost, from what was measured: worked out by hand."""

import pytest
import yaml
from conftest import ROOT, TINY

from dawn.config.experiment import merge
from dawn.config.plan import plan
from dawn.core.files import write_json
from dawn.studies.cost import Estimate, duration, estimate, predicted, told

STUDY = {"question": "?", "seeds": 3, "variants": {"a": {}, "b": {"train": {"epochs": 4}}}}


@pytest.fixture
def tiny(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(STUDY))
    over = merge(TINY, {"submission": {"cost_per_hour": 3.6}})
    return plan(path, ROOT / "params.yaml", ROOT / "workflow/presets", over)


def times(step=0.5, forward=0.1):
    rows = [{"precision": "fp32", "batch": 16, "work": w, "seconds": s, "images_per_s": 16 / s}
            for w, s in (("forward", forward), ("step", step))]  # fmt: skip
    return {"device": "a device", "rows": rows}


def test_the_times_of_a_step_make_those_of_a_training(tiny):
    a, b = (tiny.variants[name].experiment for name in "ab")
    counts = {"train": 100, "test": 32}
    # 2 epochs of 6 steps of half a second, and 2 looks at 2 batches of the test split of a tenth of a second
    assert predicted(times(), a, counts) == pytest.approx(2 * 6 * 0.5 + 2 * 2 * 0.1)
    assert predicted(times(), b, counts) == pytest.approx(4 * 6 * 0.5 + 4 * 2 * 0.1)
    assert predicted({"rows": [{"precision": "fp32", "batch": 8, "work": "step", "seconds": 1}]}, a, counts) is None


def test_no_times_no_cost(tiny, tmp_path):
    found = estimate(tiny, tmp_path / "data")
    assert [(e.left, e.seconds) for e in found] == [(3, None), (3, None)]
    assert told(tiny, found).endswith("no times yet, so no cost: snakemake study_timing --config study=mine takes some")


def test_times_make_hours_and_dollars(tiny, tmp_path):
    write_json(tmp_path / "data/dataset.json", {"counts": {"train": 100, "test": 32}})
    write_json(tmp_path / "results/studies/mine/a/timing.json", times())
    lines = told(tiny, estimate(tiny, tmp_path / "data")).splitlines()
    assert lines[0] == "study mine: 2 variants x 3 seeds, 6 of 6 trainings to do"
    assert " ".join(lines[1].split()) == "a 3 to do 6 s each, 19 s in all (timed on a device)"
    assert lines[2].endswith("(not timed)")
    assert lines[3] == "  training: 19 s one after the other, less 1 not timed; $0.02 at $3.6 an hour"


def test_all_done_costs_nothing(tiny):
    lines = told(tiny, [Estimate("a", 0, 100.0, "mean of 3 trained"), Estimate("b", 0, 50.0, "mean of 3 trained")])
    assert "0 of 6 trainings to do" in lines
    assert lines.endswith("training: 0 s one after the other; $0.00 at $3.6 an hour")


@pytest.mark.parametrize(("seconds", "words"), [(0.4, "0 s"), (119, "119 s"), (150, "2.5 min"), (9000, "2.5 h")])
def test_durations(seconds, words):
    assert duration(seconds) == words
