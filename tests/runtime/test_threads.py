"""Threads by what is free: limits of the machine, of control groups, of Snakemake; what the user has set stays."""

import math
import os
import subprocess
import sys

import pytest
import torch
from conftest import ROOT
from training import At, Never, assert_same_end, ready, trained

from dawn.core import host
from dawn.engine.shutdown import Interrupted
from dawn.runtime import threads


@pytest.fixture
def machine(monkeypatch):
    """A machine of so many cores of which so many are free."""

    def set_up(cores, free):
        monkeypatch.setattr(threads, "cores", lambda: cores)
        monkeypatch.setattr(threads, "free_cores", lambda: free)

    return set_up


def chosen(environment, processes=1):
    found, _ = threads.settings(environment, processes)
    return found.get("OMP_NUM_THREADS"), found.get("OMP_WAIT_POLICY")


@pytest.mark.parametrize(
    ("cores", "free", "processes", "wanted"),
    [
        (2, 2.0, 1, ("2", None)),
        (2, 1.8, 1, ("2", None)),
        (2, 0.9, 1, ("1", "passive")),
        (2, 0.0, 1, ("1", "passive")),
        (64, 61.2, 1, ("61", "passive")),
        (64, 64.0, 4, ("16", None)),
        (64, 30.0, 4, ("7", "passive")),
        (2, 0.0, 2, ("1", None)),
    ],
)
def test_threads_are_the_free_cores_and_wait_without_spinning_next_to_others(machine, cores, free, processes, wanted):
    machine(cores, free)
    assert chosen({}, processes) == wanted


def test_what_the_user_has_set_stays(machine):
    machine(8, 1.0)
    assert threads.settings({"OMP_NUM_THREADS": "3"}, 1) == ({"OMP_NUM_THREADS": "3", "MKL_NUM_THREADS": "3"}, None)
    assert chosen({"OMP_WAIT_POLICY": "active"}) == ("1", None)
    assert chosen({"OMP_NUM_THREADS": ""}) == ("1", "passive")
    # Snakemake overwrites OMP_NUM_THREADS; the Snakefile keeps the user's in DAWN_THREADS
    assert chosen({"OMP_NUM_THREADS": "8", "DAWN_THREADS": "2"}) == ("2", None)


def test_the_threads_of_a_rule_are_a_limit(machine):
    machine(8, 8.0)
    assert chosen({"OMP_NUM_THREADS": "4", "DAWN_THREADS": "auto"}) == ("4", None)
    machine(8, 3.0)
    assert chosen({"OMP_NUM_THREADS": "4", "DAWN_THREADS": "auto"}) == ("3", "passive")


def test_the_reason_names_what_is_free(machine):
    machine(2, 0.9)
    assert threads.settings({}, 1)[1] == "1 thread, since 0.9 of 2 cores are free"
    machine(8, 4.0)
    assert threads.settings({}, 2)[1] == "2 threads for each of 2 processes, since 4.0 of 8 cores are free"
    machine(8, 8.0)
    assert threads.settings({}, 2)[1] is None


def stat(path, *rows):
    lines = [f"cpu{i} {busy} 0 0 {idle} 0 0 0 0 0 0" for i, (busy, idle) in enumerate(rows)]
    path.write_text("\n".join(["cpu  9 9 9 9 9 9 9 9 9 9", *lines, "intr 5", ""]))


def test_the_quietest_sample_of_this_process_s_cpus_counts(monkeypatch, tmp_path):
    path = tmp_path / "stat"
    samples = iter([[(10, 0), (0, 10), (5, 5)], [(10, 10), (10, 10), (99, 0)], [(20, 10), (20, 10), (99, 0)]])
    totals = [[0, 0], [0, 0], [0, 0]]

    def sleep(_):
        for total, (busy, idle) in zip(totals, next(samples, [(1, 0)] * 3), strict=True):
            total[0] += busy
            total[1] += idle
        stat(path, *totals)

    stat(path, *totals)
    monkeypatch.setattr(threads, "STAT", path)
    monkeypatch.setattr(threads, "affinity", lambda: {0, 1})
    monkeypatch.setattr(threads.time, "sleep", sleep)
    assert threads.free_cores() == pytest.approx(1.0)


def test_a_system_that_reports_no_load_has_all_cores_free(monkeypatch, tmp_path):
    monkeypatch.setattr(threads, "STAT", tmp_path / "nowhere")
    monkeypatch.setattr(threads.time, "sleep", lambda _: None)
    assert threads.free_cores() == len(host.affinity())


@pytest.mark.parametrize(
    ("line", "files", "limit"),
    [
        ("0::/a/b", {"a/b/cpu.max": "max 100000", "a/cpu.max": "150000 100000"}, 1.5),
        ("0::/", {"cpu.max": "400000 100000"}, 4.0),
        ("0::/host/only", {}, math.inf),
        ("4:cpu,cpuacct:/docker/x", {"cpu/cpu.cfs_quota_us": "50000", "cpu/cpu.cfs_period_us": "100000"}, 0.5),
        ("4:cpu:/", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, math.inf),
        ("5:memory:/x", {"x/cpu.max": "100000 100000"}, math.inf),
    ],
)
def test_quotas_of_control_groups(tmp_path, line, files, limit):
    (tmp_path / "own").write_text(f"7:pids:/\n{line}\n")
    for name, text in files.items():
        path = tmp_path / "root" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{text}\n")
    assert host.quota(tmp_path / "root", tmp_path / "own") == limit


def test_launch_hands_them_to_the_step_and_logs_the_reason(tmp_path):
    (tmp_path / "step.py").write_text(
        "import os; print(os.environ['OMP_NUM_THREADS'], os.environ['MKL_NUM_THREADS'])\n"
    )
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("OMP_", "DAWN_"))}
    line = [sys.executable, "-m", "dawn.launch", "--processes", "1", "step"]
    env = clean | {"PYTHONPATH": os.pathsep.join([str(ROOT / "workflow"), str(tmp_path)])}
    done = subprocess.run(line, env=env, capture_output=True, text=True, check=True)
    omp, mkl = done.stdout.split()
    assert omp == mkl
    assert 1 <= int(omp) <= host.cores()
    fewer = f"dawn.launch: {omp} thread"
    assert done.stderr.startswith(fewer) if int(omp) < host.cores() else not done.stderr
    done = subprocess.run(line, env=env | {"OMP_NUM_THREADS": "5"}, capture_output=True, text=True, check=True)
    assert (done.stdout.split(), done.stderr) == (["5", "5"], "")


def test_a_resumed_training_keeps_its_number_of_threads(data, tmp_path):
    before, short = torch.get_num_threads(), {"train": {"epochs": 1}}
    try:
        torch.set_num_threads(2)
        whole = trained(data, tmp_path, **short)
        stopped = ready(data, tmp_path / "stopped", **short)
        with pytest.raises(Interrupted):
            list(stopped.run(At(stopped, 3)))
        torch.set_num_threads(1)  # as dawn.launch chooses on a machine that is busy by now
        resumed = ready(data, tmp_path / "stopped", **short)
        assert torch.get_num_threads() == 2
        list(resumed.run(Never()))
        assert_same_end(whole, resumed)
    finally:
        torch.set_num_threads(before)
