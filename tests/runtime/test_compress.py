"""Gradients exchanged in half precision: by two real processes, within its rounding, and to the same end."""

import pytest
import torch
from conftest import step
from processes import run_script
from training import arguments

from dawn.results.curve import read_curve
from dawn.tasks.classify.curve import EpochMetrics

ROUNDING = {"fp16": (2**-11, 2**-25), "bf16": (2**-8, 2**-134)}  # half a unit in the last place, and of the smallest


@pytest.mark.full
def test_the_mean_gradient_is_right_within_the_rounding(data, tmp_path):
    run_script("exchange.py", data, tmp_path, processes=2)
    first, second = (torch.load(tmp_path / f"{rank}.pt", weights_only=True) for rank in (0, 1))
    for name in ("none", "fp16", "bf16"):
        assert all(torch.equal(a, b) for a, b in zip(first[name], second[name], strict=True))
    for a, b, mean in zip(first["own"], second["own"], first["none"], strict=True):
        torch.testing.assert_close((a + b) / 2, mean, rtol=1e-6, atol=1e-8)
    for name, (relative, least) in ROUNDING.items():
        differ = False
        for a, b, got in zip(first["own"], second["own"], first[name], strict=True):
            exact = (a.double() + b.double()) / 2
            # each part is rounded before it is sent, and their sum once more
            bound = relative * (a.abs() + b.abs() + exact.abs()).double() + 4 * least
            assert bool(((got.double() - exact).abs() <= bound).all())
            differ |= not torch.equal(got, (a + b) / 2)
        assert differ, f"{name} rounds nothing, so it is not what was sent"


@pytest.mark.full
def test_a_training_ends_where_the_exact_one_does(data, params, tmp_path):
    curves = []
    for compress in ("none", "bf16"):
        out = tmp_path / compress
        path = params(train={"compress": compress, "epochs": 3})
        done = step("train", *arguments(path, data, out, "--resume", tmp_path / "r"), processes=2)
        assert done.returncode == 0, done.stderr
        curves.append([row.train_loss for row in read_curve(out / "curve.tsv", EpochMetrics)])
    assert curves[0] != curves[1]
    assert curves[0] == pytest.approx(curves[1], rel=0.05)
