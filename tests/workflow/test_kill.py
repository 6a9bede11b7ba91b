"""Killed without warning, the workflow goes on by the same command."""

import json
import os
import signal
from types import SimpleNamespace

import psutil
import pytest
import workspace
from conftest import step

from dawn.core import locks

LONG = "train={epochs: 30, batch: 32, schedule: {peak: 0.05}}"


def weights(place, seed):
    return place.path / f"results/seed-{seed}/model.safetensors"


def test_killed_with_its_jobs_it_goes_on_and_ends_with_the_same_weights(copied, tmp_path):
    target = "results/seed-5/model.safetensors"
    with copied.running(target, LONG) as process:
        copied.wait_for_checkpoint(process, 5)
        assert workspace.jobs(process, "dawn.train")
    assert not weights(copied, 5).exists()
    assert list(copied.path.glob(".snakemake/locks/*"))
    again = copied.snakemake(target, LONG)
    assert again.returncode == 0, again.stderr
    assert f"released the lock of snakemake (process {process.pid}), which was killed" in again.stderr
    assert "continues after step" in again.stderr
    data, params = copied.path / "data", copied.path / "results/params.yaml"
    line = ("--params", params, "--data", data, "--stats", data / "stats.json", "--seed", 5)
    assert step("train", *line, "--out", tmp_path).returncode == 0
    assert weights(copied, 5).read_bytes() == (tmp_path / "model.safetensors").read_bytes()
    assert not list(copied.path.glob(".snakemake/owners/*"))


@pytest.mark.full
def test_killed_alone_its_running_job_keeps_the_lock(copied):
    target = "results/seed-6/model.safetensors"
    with copied.running(target, LONG) as process:
        copied.wait_for_checkpoint(process, 6)
        jobs = workspace.jobs(process, "dawn.train")
        for job in jobs:
            job.suspend()  # so that it cannot end before the second snakemake looks for it
        process.kill()
        process.wait()
        refused = copied.snakemake(target, LONG)
        assert refused.returncode != 0
        message = next(line for line in refused.stderr.splitlines() if line.startswith("dawn: "))
        assert "its jobs still run; wait for them or end them, then start again: kill " in message
        assert str(jobs[0].pid) in message.split()
        assert refused.stderr.index(message) < refused.stderr.index("Directory cannot be locked")
        for pid in map(int, message.partition(": kill ")[2].split()):
            os.kill(pid, signal.SIGTERM)
        for job in jobs:
            job.resume()
        psutil.wait_procs(jobs, timeout=30)
        assert copied.snakemake(target, LONG).returncode == 0


def test_the_lock_of_a_live_snakemake_stays(copied):
    target = "results/seed-7/model.safetensors"
    with copied.running(target, LONG) as process:
        copied.wait_for_checkpoint(process, 7)
        jobs = workspace.jobs(process, "dawn.train")
        for job in jobs:
            job.suspend()  # so that the first snakemake is still running
        refused = copied.snakemake(target, LONG)
        assert refused.returncode != 0
        assert "Directory cannot be locked" in refused.stderr
        assert "dawn: " not in refused.stderr
        assert process.poll() is None
        for job in jobs:
            job.resume()


IN_USE = [
    ({"host": "elsewhere"}, "(process 1 on elsewhere), which cannot be checked from here; if it has ended: "),
    ({"executor": "slurm"}, "was killed after it submitted jobs to slurm; when they end: "),
]


def locked(folder, about):
    """Write the lock of a snakemake that is gone; return the file that says whose it was."""
    locks, owners = folder / ".snakemake/locks", folder / ".snakemake/owners"
    for path in (locks, owners):
        path.mkdir(parents=True, exist_ok=True)
    (locks / "0.output.lock").write_text("results/metrics.json\n")
    (owners / "one.json").write_text(json.dumps({"host": os.uname().nodename, "pid": 1, "executor": None} | about))
    return owners / "one.json"


@pytest.mark.parametrize(("about", "words"), IN_USE)
def test_a_lock_that_may_be_in_use_is_not_released(tmp_path, monkeypatch, about, words):
    monkeypatch.chdir(tmp_path)
    owner = locked(tmp_path, about)
    assert words + "snakemake --unlock" in locks.release(SimpleNamespace(path=tmp_path / "of this process"))
    assert owner.exists()
    assert list(tmp_path.glob(".snakemake/locks/*.lock"))


@pytest.mark.full
@pytest.mark.parametrize(("about", "words"), IN_USE)
def test_a_lock_that_may_be_in_use_stays_and_the_command_is_named(copied, about, words):
    owner = locked(copied.path, about)
    refused = copied.snakemake("results/metrics.json", "--forcerun", "summarize")
    assert refused.returncode != 0
    assert words + "snakemake --unlock" in refused.stderr.splitlines()[1]
    assert copied.snakemake("--unlock").returncode == 0
    assert copied.planned() == set()
    assert not owner.exists()
