"""What can be followed while a training runs: a bar that stays whole, a log of lines, a metrics file, events."""

import json
import os
import pty
import re
import subprocess
import sys
import threading
import time
from pathlib import Path

import dvc_project
import pytest
from conftest import ROOT
from training import arguments, ready

from dawn.core.cli import InputError
from dawn.monitoring import tensorboard
from dawn.monitoring.live import LiveMetrics
from dawn.monitoring.progress import name_of
from dawn.monitoring.tensorboard import EventFiles
from dawn.tasks.classify.curve import EpochMetrics
from dawn.tasks.classify.train import line
from dawn.train import reports_of


def epoch(number, loss, accuracy):
    return EpochMetrics(number, 0.9, 50.0, loss, accuracy, 0.1, 0.9, 1000.0, 2.0)


def test_the_metrics_file_is_that_of_the_last_epoch_and_goes(tmp_path):
    path = tmp_path / "metrics.json"
    with LiveMetrics(path, "seed-3") as live:
        live.epoch(epoch(1, 0.5, None))
        written = json.loads(path.read_text())["live"]
        assert (written["training"], written["epoch"], written["loss"]) == ("seed-3", 1, 0.5)
        assert "accuracy" not in written
        live.epoch(epoch(2, 0.4, 60.0))
        assert json.loads(path.read_text())["live"]["accuracy"] == 60
    assert list(tmp_path.iterdir()) == []


def test_the_lines_of_a_training_begin_with_its_variant_and_its_seed():
    for out, name in {
        "results/seed-3": "seed 3",
        "results/studies/width/wide/seed-3": "wide, seed 3",
        "results/judge/seed-3": "judge, seed 3",
        "elsewhere/seed-3": "seed 3",
    }.items():
        assert name_of(Path(out), 3) == name


@pytest.mark.parametrize("stage", ["train", ""], ids=["in a stage of DVC", "outside"])
def test_only_a_stage_of_dvc_has_live_metrics(data, tmp_path, monkeypatch, stage):
    monkeypatch.setenv("DVC_STAGE", stage)
    reports = reports_of(ready(data, tmp_path / "resume"), line, tmp_path / "results/seed-0")
    live = [report for report in reports if isinstance(report, LiveMetrics)]
    assert [(report.path, report.training) for report in live] == (
        [(tmp_path / "results/metrics.json", "seed-0")] if stage else []
    )


def test_events_can_be_read_by_tensorboard(tmp_path):
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    with EventFiles(tmp_path / "seed-0/tensorboard") as events:
        events.epoch(epoch(1, 0.5, None))
        events.epoch(epoch(2, 0.25, 60.0))
    found = EventAccumulator(str(tmp_path / "seed-0/tensorboard")).Reload()
    assert [(e.step, e.value) for e in found.Scalars("loss")] == [(1, 0.5), (2, 0.25)]
    assert [(e.step, e.value) for e in found.Scalars("accuracy")] == [(2, 60)]


def test_without_tensorboard_there_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setattr(tensorboard.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"run\.tensorboard is true .* pip install tensorboard, or set it to false"):
        EventFiles(tmp_path / "seed-0/tensorboard")


def seen_on(terminal):
    """The lines that a terminal ends up with: of what was drawn over, the last."""
    return [line.rstrip("\r").rpartition("\r")[2] for line in terminal.split("\n")]


@pytest.mark.full
def test_on_a_terminal_a_bar_moves_below_whole_lines(params, data, tmp_path):
    lead, follow = pty.openpty()
    heard = []

    def listen():
        try:
            while block := os.read(lead, 4096):
                heard.append(block.decode())
        except OSError:  # the other side is closed
            return

    listener = threading.Thread(target=listen)
    listener.start()
    log = tmp_path / "train.log"
    subprocess.run(
        [sys.executable, "-m", "dawn.train", *map(str, arguments(params(), data, tmp_path / "seed-0"))],
        stderr=follow, env=os.environ | {"DAWN_LOG": str(log), "COLUMNS": "100"}, cwd=tmp_path, check=True,
    )  # fmt: skip
    os.close(follow)
    listener.join(10)
    os.close(lead)
    shown = "".join(heard)
    assert "img/s, loss" in shown or "img/s" in shown
    lines = [line for line in seen_on(shown) if "epoch" in line]
    assert [bool(re.fullmatch(r"seed 0  epoch \d/2  loss .* s", line)) for line in lines] == [True, True]
    assert [line.split("  loss")[0] for line in log.read_text().splitlines()] == [
        "seed 0  epoch 1/2",
        "seed 0  epoch 2/2",
    ]


@pytest.mark.full
def test_dvc_exp_show_follows_a_running_experiment(tmp_path):
    project = dvc_project.make(tmp_path)
    line = ["dvc", "exp", "run", "--temp", "--name", "long", "-S", "train.epochs=3000"]
    process = subprocess.Popen(
        line, cwd=project.path, env=dvc_project.environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        start_new_session=True,
    )  # fmt: skip
    try:
        pattern = ".dvc/tmp/exps/standalone/*/results/metrics.json"
        until = time.monotonic() + 240
        while not list(project.path.glob(pattern)):
            assert process.poll() is None
            assert time.monotonic() < until
            time.sleep(0.5)
        shown = project.dvc("exp", "show", "--json")
        assert '"live": {"training": "seed-0", "epoch": ' in shown.replace("\n", "")
    finally:
        os.killpg(process.pid, 9)
        process.wait()


def test_the_page_says_how_to_follow():
    page = (ROOT / "docs/report.md").read_text()
    for word in ("tail -f logs/results/train-0.log", "dvc exp show", "tensorboard --logdir"):
        assert word in page
