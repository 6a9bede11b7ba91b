"""Times are positive and consistent, FLOPs are the network's, the peak is one, memory is that of the work."""

import json
import time

import pytest
import torch
from conftest import experiment, step
from training import CPU, WORLD

from dawn.core.cli import InputError
from dawn.runtime.measure import best_rate, measure, peak, reset_peak
from dawn.tasks.classify.model import describe
from dawn.timing import COLUMNS, timed


def test_a_sleep_takes_its_time_and_the_warm_up_is_left_out():
    calls = []

    def work():
        calls.append(len(calls))
        time.sleep(0.2 if len(calls) <= 3 else 0.01)

    found = measure(work, CPU, 8)
    assert len(calls) == 11
    assert found.repeats == 8
    assert found.low <= found.seconds <= found.high
    assert 0.01 <= found.seconds < 0.05


def test_the_limit_of_time_leaves_three_repeats():
    found = measure(lambda: time.sleep(0.02), CPU, 1000, limit=0.001)
    assert found.repeats == 3


def test_the_peak_of_memory_is_of_the_work_since_it_was_forgotten():
    size = 200 << 20
    big = torch.ones(size, dtype=torch.uint8)
    del big
    reset_peak(CPU)
    before = peak(CPU)
    small = torch.ones(size // 4, dtype=torch.uint8)
    after = peak(CPU)
    del small
    assert size // 8 < after - before < size


def test_the_best_rate_is_of_one_of_two_works():
    rate, name = best_rate(CPU, torch.float32, limit=0.2)
    assert 1e8 < rate < 1e14
    assert name.startswith(("matrix product", "3x3 convolution"))


def test_every_batch_precision_and_work_is_timed(data):
    chosen = experiment(
        timing={"batches": [8, 32], "precisions": ["bf16"], "repeats": 3},
        model={"blocks": [1, 1], "width": 8},
    )
    found = timed(chosen, data, data / "stats.json", WORLD)
    rows = found["rows"]
    assert {(r["precision"], r["batch"], r["work"]) for r in rows} == {
        (p, b, w) for p in ("fp32", "bf16") for b in (16, 8, 32) for w in ("forward", "forward_backward", "step")
    }
    assert (rows[0]["precision"], rows[0]["batch"]) == ("fp32", 16)
    known = describe(chosen, 3, 32)["flops"]
    assert found["flops"]["forward"] == known
    # Backward, each convolution is done twice, but the first needs no gradient of the image.
    assert 2.8 * known < found["flops"]["forward_backward"] < 3 * known
    for row in rows:
        assert set(row) == set(COLUMNS)
        assert row["low"] <= row["seconds"] <= row["high"]
        assert row["images_per_s"] == pytest.approx(row["batch"] / row["seconds"])
        assert row["flops_per_s"] == pytest.approx(found["flops"][row["work"]] * row["images_per_s"])
        assert 0 < row["share_of_peak"] < 1.5


def test_the_step_writes_table_and_picture(data, params, tmp_path):
    out = tmp_path / "timing.json"
    done = step("timing", "--params", params(timing={"repeats": 3}), "--data", data,
                "--stats", data / "stats.json", "--out", out)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads(out.read_text())["threads"] == 1
    assert out.with_suffix(".tsv").read_text().count("\n") == 4
    assert out.with_suffix(".png").read_bytes().startswith(b"\x89PNG")


def test_a_batch_larger_than_the_data_is_refused(data):
    with pytest.raises(InputError, match=r"train.batch = 500 is more than the 96 images"):
        timed(experiment(timing={"batches": [500], "repeats": 3}), data, data / "stats.json", WORLD)
