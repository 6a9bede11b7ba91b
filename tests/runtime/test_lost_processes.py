"""A process of several that is stopped, killed or never starts ends the others in bounded time, with one line."""

import os
import re
import signal
import socket
import subprocess
import sys
import time

import psutil
import pytest
from processes import Store
from training import arguments

from dawn import launch
from dawn.core.cli import InputError
from dawn.runtime import heartbeat
from dawn.runtime.heartbeat import Heartbeat, store_of_torchrun

LONG = {"train": {"epochs": 2000}, "run": {"timeout": 0.1}}  # 6 s


def started(path, data, tmp_path):
    """A training of two processes that has written a checkpoint, and its processes by rank."""
    line = [sys.executable, "-m", "dawn.launch", "--processes", "2", "dawn.train"]
    line += map(str, arguments(path, data, tmp_path / "out", "--resume", tmp_path / "r"))
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    training = subprocess.Popen(line, stderr=subprocess.PIPE, text=True, env=env)
    while not list((tmp_path / "r").glob("*/seed-0/state.pt")):
        assert training.poll() is None, training.stderr.read()
        time.sleep(0.1)
    children = [p for p in psutil.Process(training.pid).children() if "dawn.train" in p.cmdline()]
    ranks = {int(process.environ()["RANK"]): process for process in children}
    assert sorted(ranks) == [0, 1]
    return training, ranks


def lines_of(training):
    """The lines of a training that ends but for those of its epochs, and the seconds until then."""
    begun = time.monotonic()
    _, printed = training.communicate(timeout=120)
    return [line for line in printed.splitlines() if " epoch " not in line], time.monotonic() - begun


@pytest.mark.full
@pytest.mark.parametrize("rank", [0, 1])
def test_a_stopped_process_is_named(data, params, tmp_path, rank):
    training, ranks = started(params(**LONG), data, tmp_path)
    ranks[rank].send_signal(signal.SIGSTOP)
    lines, seconds = lines_of(training)
    assert len(lines) == 1, lines
    assert lines[0].startswith(f"dawn: rank {rank} (process {ranks[rank].pid} on ")
    assert "of 2 processes gave no sign for 0.1 minutes (run.timeout)" in lines[0]
    assert training.returncode == 75
    assert seconds < 90
    assert not ranks[rank].is_running()


@pytest.mark.full
def test_a_killed_process_is_named(data, params, tmp_path):
    training, ranks = started(params(**LONG), data, tmp_path)
    ranks[1].kill()
    lines, _ = lines_of(training)
    assert lines == [
        "dawn.launch: the process of rank 1 was ended by signal 9 (Killed, as the system does when memory runs out); "
        "run the same command again: a training continues from its last checkpoint"
    ]
    assert training.returncode == 137


@pytest.mark.full
def test_processes_stop_when_torchrun_is_killed(data, params, tmp_path):
    training, ranks = started(params(train={"epochs": 2000}), data, tmp_path)
    training.kill()
    lines, _ = lines_of(training)
    assert "seed 0: stopped; the same command continues from its checkpoint" in lines
    assert not psutil.wait_procs(ranks.values(), 30)[1]


@pytest.mark.full
def test_a_node_that_does_not_start_is_one_line(data, params, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    line = [sys.executable, "-m", "dawn.launch", "--nodes", "2", "--rendezvous", f"127.0.0.1:{port}", "dawn.train"]
    line += map(str, arguments(params(run={"timeout": 0.1, "interface": "lo"}), data, tmp_path / "out"))
    env = os.environ | {"OMP_NUM_THREADS": "1"}
    done = subprocess.run(line, capture_output=True, text=True, check=False, env=env)
    assert done.returncode == 75, done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert f"the 2 nodes did not find each other at 127.0.0.1:{port} within 0.1 minutes" in done.stderr
    assert "run.timeout, run.interface and run.port" in done.stderr


def test_an_interface_that_is_not_here_is_one_line():
    assert launch.address("lo") == "127.0.0.1"
    with pytest.raises(InputError, match=r"run\.interface = ib99 has no address on .* its interfaces are .*lo"):
        launch.address("ib99")


@pytest.fixture
def beats(monkeypatch):
    """The heartbeats of three processes with a limit of 60 s; in place of the end of a process its line is kept."""
    lines, store = [], Store()
    monkeypatch.setattr(Heartbeat, "end", lambda self: lines.append(self.missing()))
    return [Heartbeat(store, rank, 3, 60.0) for rank in range(3)], lines


def test_a_process_without_a_beat_is_missing_after_the_limit(beats):
    (first, second, _), lines = beats
    for _ in range(15):
        first.look(5.0)
        second.look(5.0)
    third = rf"rank 2 \(process {os.getpid()} on {re.escape(socket.gethostname())}\)"
    assert len(lines) == 6 and all(
        re.match(f"{third} of 3 processes gave no sign for 1 minutes", line) for line in lines
    )


def test_processes_that_beat_or_have_finished_are_not_missing(beats):
    (first, second, third), lines = beats
    second.start()
    second.leave()
    for _ in range(30):
        first.look(5.0)
        third.look(5.0)
    assert lines == []


def test_a_process_that_never_started_is_named(monkeypatch):
    store = Store()
    first = Heartbeat(store, 0, 2, 60.0)
    first.silent = [0.0, 61.0]
    assert first.missing().startswith("rank 1 of 2 processes did not start for 1 minutes")


def test_the_time_in_which_this_process_was_stopped_does_not_count(beats, monkeypatch):
    (first, *_), _ = beats
    times, passed = iter([0.0, 5.0, 5000.0]), []
    waits = iter([False, False, True])
    monkeypatch.setattr(heartbeat.time, "monotonic", lambda: next(times))
    monkeypatch.setattr(first.done, "wait", lambda seconds: next(waits))
    monkeypatch.setattr(first, "look", passed.append)
    first.run()
    assert passed == [5.0, 10.0]


def test_a_store_that_nobody_serves_is_one_line(monkeypatch):
    for name, value in {"TORCHELASTIC_RUN_ID": "x", "WORLD_SIZE": "2", "RANK": "1", "LOCAL_RANK": "1",
                        "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "1"}.items():  # fmt: skip
        monkeypatch.setenv(name, value)
    words = r"MASTER_ADDR = '127.0.0.1', MASTER_PORT = '1' does not answer \(.*\); outside of torchrun unset"
    with pytest.raises(InputError, match=words):
        store_of_torchrun(0.1)
    monkeypatch.setenv("MASTER_PORT", "a port")
    with pytest.raises(InputError, match="MASTER_PORT = 'a port' does not answer"):
        store_of_torchrun(0.1)
