"""A GAN's training that is killed and run again."""

import json
import os
import signal
import subprocess
import sys
import time

import pytest
from conftest import step
from gan_training import FULL_GAN, TINY_GAN

from dawn.config.experiment import merge


def wait_for_checkpoint(folder):
    for _ in range(2400):
        if found := list(folder.glob("*/seed-0/state.pt")):
            return found[0]
        time.sleep(0.05)
    raise AssertionError("no checkpoint came")


@pytest.mark.full
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_gan_killed_and_run_again_ends_with_the_same_bytes(data, params, tmp_path, number):
    path = params(**merge(TINY_GAN, {"gan": {**FULL_GAN, "epochs": 30}}))
    line = ["--params", path, "--data", data, "--seed", 0]
    whole = step("train", *line, "--out", tmp_path / "whole", "--resume", tmp_path / "r2")
    assert whole.returncode == 0, whole.stderr
    command = [
        sys.executable,
        "-m",
        "dawn.train",
        *map(str, line),
        "--out",
        tmp_path / "out",
        "--resume",
        tmp_path / "r",
    ]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, env=os.environ | {"OMP_NUM_THREADS": "1"})
    wait_for_checkpoint(tmp_path / "r")
    process.send_signal(number)
    process.communicate()
    assert process.returncode == (-9 if number == signal.SIGKILL else 75)
    assert not (tmp_path / "out").exists()
    done = step("train", *line, "--out", tmp_path / "out", "--resume", tmp_path / "r")
    assert done.returncode == 0, done.stderr
    assert "continues after step" in done.stderr
    for name in ("model.safetensors", "progress.npy", "trace.tsv"):
        assert (tmp_path / "out" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name
    assert json.loads((tmp_path / "out" / "metrics.json").read_text())["resumed"] == 1
