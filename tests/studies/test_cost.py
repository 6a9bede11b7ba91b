"""What a study will cost and detect, from what was measured: worked out by hand."""

import numpy as np
import pytest
import yaml
from conftest import ROOT, TINY, in_full
from study_files import finished
from study_simulation import draw, verdicts

from dawn.config.experiment import merge
from dawn.config.plan import plan
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.studies.planning import (
    COMPILING,
    DRIFT,
    STARTS,
    Estimate,
    costs,
    detection,
    durations,
    estimate,
    predicted,
)

STUDY = {"question": "?", "seeds": 3, "variants": {"a": {}, "b": {"train": {"epochs": 4}}}}
COUNTS = {"train": 100, "test": 32}


@pytest.fixture
def planned(tmp_path, monkeypatch):
    def make(over=None, **keys):
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "mine.yaml"
        path.write_text(yaml.safe_dump(STUDY | keys))
        settings = merge(merge(TINY, {"submission": {"cost_per_hour": 3.6}}), over or {})
        return plan(path, ROOT / "params.yaml", ROOT / "workflow/presets", settings)

    return make


def times(step=0.5, forward=0.1):
    rows = [{"precision": "fp32", "batch": 16, "work": w, "seconds": s, "low": 0.9 * s, "high": 1.2 * s,
             "share_of_peak": 0.5} for w, s in (("forward", forward), ("step", step))]  # fmt: skip
    return {"device": "a device", "rows": rows}


def test_the_times_of_a_step_make_those_of_a_training(planned):
    tiny = planned()
    a, b = (tiny.variants[name].experiment for name in "ab")
    # 2 epochs of 6 steps of half a second; 2 evaluations between and 1 in the end of 2 batches of a tenth of a second
    seconds = 2 * 6 * 0.5 + 3 * 2 * 0.1
    assert predicted(times(), a, COUNTS) == pytest.approx((0.9 * DRIFT[0] * seconds, 1.2 * DRIFT[1] * seconds))
    seconds = 4 * 6 * 0.5 + 5 * 2 * 0.1
    assert predicted(times(), b, COUNTS) == pytest.approx((0.9 * DRIFT[0] * seconds, 1.2 * DRIFT[1] * seconds))
    assert predicted({"rows": [{"precision": "fp32", "batch": 8, "work": "step", "seconds": 1}]}, a, COUNTS) is None


@pytest.mark.parametrize(
    ("over", "steps", "evaluations"),
    [
        ({"train": {"sizes": [[0, 16], [0.5, 32]]}}, 12 * (0.5 / 4 + 0.5), 3),
        ({"train": {"sizes": [[0, 16]]}}, 12, 3),  # the last size was timed
        ({"evaluate": {"tta": "six"}}, 12, 2 + 6),
        ({"evaluate": {"tta": "six", "tta_fraction": 0.2}}, 12, 2 + 2),
        ({"train": {"monitor_every": 2}}, 12, 1 + 1),
    ],
)
def test_image_sizes_views_and_monitoring_are_counted(planned, over, steps, evaluations):
    experiment = planned(over).variants["a"].experiment
    seconds = steps * 0.5 + evaluations * 2 * 0.1
    assert predicted(times(), experiment, COUNTS)[0] == pytest.approx(0.9 * DRIFT[0] * seconds)


def test_compiling_is_counted(planned):
    plain, compiled = (planned({"train": {"compile": on}}).variants["a"].experiment for on in (False, True))
    (low, high), (with_low, with_high) = (predicted(times(), each, COUNTS) for each in (plain, compiled))
    assert (with_low - low, with_high - high) == pytest.approx(COMPILING)


def test_no_times_no_cost(planned, tmp_path):
    found = estimate(tiny := planned(), tmp_path / "data")
    assert [(e.left, e.seconds) for e in found] == [((3, 3), None)] * 2
    lines = costs(tiny, found)
    assert lines[0] == "study mine: 2 variants x 3 seeds, 6 trainings to do"
    assert lines[-1].endswith(
        "no times yet, so no cost: the same command with study_timing in place of study takes some"
    )


def test_times_make_hours_and_dollars_with_a_range(planned, tmp_path):
    tiny = planned()
    write_json(tmp_path / "data/dataset.json", {"counts": COUNTS})
    write_json(tmp_path / "results/studies/mine/a/timing.json", times(step=300))
    found = estimate(tiny, tmp_path / "data")
    trained = predicted(times(step=300), tiny.variants["a"].experiment, COUNTS)
    low, high = (end + start for end, start in zip(trained, STARTS, strict=True))
    lines = costs(tiny, found)
    each = f"{low / 3600:.1f} to {high / 3600:.1f} h each"
    assert " ".join(lines[1].split()) == f"a 3 to do {each} (timed on a device)"
    assert lines[2].endswith("(not timed)")
    assert lines[3] == (
        f"  in all: {3 * low / 3600:.1f} to {3 * high / 3600:.1f} h one after the other, less 1 not timed; "
        f"${3 * low / 1000:.2f} to ${3 * high / 1000:.2f} at $3.6 an hour"
    )


def test_a_finished_seed_counts_all_that_it_spent(planned, tmp_path):
    tiny = planned()
    folder = tmp_path / "results/studies/mine/a"
    finished(folder, {0: 50.0, 1: 60.0}, **{k: tiny.variants["a"].experiment.model_dump(mode="json")[k]
                                            for k in ("data", "model", "train", "evaluate")})  # fmt: skip
    (a, _) = estimate(tiny, tmp_path / "data")
    seconds = 10 + 1 + 2 + read_json(folder / "seed-0/evaluation.json")["seconds"]
    assert (a.left, a.source) == ((1, 1), "by 2 trained")
    assert a.seconds == pytest.approx((DRIFT[0] * seconds + STARTS[0], DRIFT[1] * seconds + STARTS[1]))


def test_a_sequential_study_has_a_range_of_seeds(planned, tmp_path):
    tiny = planned(seeds={"first": 3, "most": 20}, until="decided")
    lines = costs(tiny, estimate(tiny, tmp_path / "data"))
    assert lines[0] == "study mine: 2 variants x 3 to 20 seeds, 6 to 40 trainings to do"


def test_all_done_costs_nothing(planned):
    lines = costs(planned(), [Estimate("a", (0, 0), (90.0, 100.0), ""), Estimate("b", (0, 0), (50.0, 90.0), "")])
    assert ", 0 trainings to do" in lines[0]
    assert lines[-1] == "  in all: 0 s one after the other; $0.00 to $0.00 at $3.6 an hour"


@pytest.mark.parametrize(("test", "variants"), [("holm", 2), *in_full(("dunnett", 6))])
def test_the_power_that_is_announced_is_that_of_simulated_studies(planned, test, variants):
    names = {name: {"train": {"epochs": i + 2}} for i, name in enumerate("abcdef"[:variants])}
    (first, second) = detection(planned(seeds=6, difference=0.3, spread=0.15, variants=names, test=test))
    rng = np.random.default_rng(0)

    def rate(n):
        rows = (draw(rng, variants, n, common=0.0, shifts=(0, 0.3)) for _ in range(1500))
        return np.mean([verdicts(row, [n], test=test)[0].kind == "better" for row in rows])

    announced = int(first.split("with a chance of ")[1].split(" %")[0])
    assert announced == pytest.approx(100 * rate(6), abs=4)
    assert "(expected spread 0.15, seeds that have nothing in common)" in first
    needed = int(second.split("takes ")[1].split()[0])
    assert rate(needed - 1) - 0.05 < 0.8 < rate(needed) + 0.05
    assert "set spread" in detection(planned())[0]


@pytest.mark.parametrize(
    ("span", "words"),
    [((0, 0.4), "0 s"), ((60, 119), "60 to 119 s"), ((30, 150), "0.5 to 2.5 min"), ((1800, 9000), "0.5 to 2.5 h")],
)  # fmt: skip
def test_durations(span, words):
    assert durations(span) == words
