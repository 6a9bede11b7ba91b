"""A search by the real engine on generated images: rungs, a diverged trial, a kill, the study."""

import json
import os
import subprocess
import time

import numpy as np
import pytest
import workspace
import yaml
from conftest import step
from search_files import SEARCH

DIRECTORY = "results/searches/mine"
RUN = ("--cores", "1", "search", "search=mine.yaml")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A checkout with the arrays, of which those of the test split are no arrays any more, as old as they were."""
    place = workspace.make(tmp_path_factory.mktemp("search"))
    (place.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH))
    done = place.snakemake("--cores", "1", "data/stats.json", "search=mine.yaml")
    assert done.returncode == 0, done.stderr
    for part in ("images", "labels"):
        path = place.path / f"data/test_{part}.npy"
        times = path.stat()
        path.write_text("not read")
        os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))
    return place


@pytest.fixture(scope="module")
def searched(place, tmp_path_factory):
    """A copy in which a search was killed in a training of the last rung, and run again."""
    copy = place.copy(tmp_path_factory.mktemp("killed"))
    with copy.running(*RUN) as process:
        while not (copy.path / DIRECTORY / "round-0/rung-1.json").exists():
            assert process.poll() is None, process.stderr.read()
            time.sleep(0.05)
        while not workspace.jobs(process, "dawn.train"):
            time.sleep(0.02)
    before = {path: path.stat().st_mtime_ns for path in (copy.path / DIRECTORY).glob("round-0/rung-0/*/trial.json")}
    assert len(before) == 4
    done = copy.snakemake(*RUN)
    assert done.returncode == 0, done.stderr
    assert before == {path: path.stat().st_mtime_ns for path in before}
    assert "optimistic" in done.stderr  # the page is printed
    return copy


def results(place):
    """The accuracy of each training, by rung and trial."""
    found = {}
    for path in sorted((place.path / DIRECTORY).glob("round-*/rung-*/trial-*/trial.json")):
        found["/".join(path.parts[-4:-1])] = json.loads(path.read_text())["accuracy"]
    return found


@pytest.mark.full
def test_a_killed_search_continues_and_never_reads_the_test_split(searched):
    found = results(searched)
    assert len(found) == 4 + 2
    assert (searched.path / "data/test_images.npy").read_text() == "not read"
    assert not list((searched.path / "results").rglob("evaluation.json"))
    assert not list((searched.path / "results").rglob("*.safetensors"))
    for path in (searched.path / DIRECTORY).glob("round-0/*/*/seed-0/metrics.json"):
        assert json.loads(path.read_text())["monitored"] == "holdout"


@pytest.mark.full
def test_a_training_that_diverges_is_a_result(searched):
    proposed = json.loads((searched.path / DIRECTORY / "round-0/rung-0.json").read_text())["trials"]
    peaks = {trial["trial"]: trial["settings"]["train.schedule.peak"] for trial in proposed}
    found = results(searched)
    for number, peak in peaks.items():
        assert (found[f"round-0/rung-0/trial-{number}"] is None) == (peak == 1e9)
    assert 1e9 in peaks.values()
    assert "diverged" in (searched.path / DIRECTORY / "page.md").read_text()


@pytest.mark.full
def test_a_finished_search_runs_nothing_and_another_one_only_what_is_new(searched):
    assert searched.planned(*RUN) == set()
    (searched.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH | {"spread": 2.5}))
    assert "trial" not in searched.planned(*RUN)
    (searched.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH))


@pytest.mark.full
def test_other_settings_train_every_trial_again(searched, tmp_path):
    copy = searched.copy(tmp_path)
    over = {"settings": {"data": {"holdout": 60}, "train": {"weight_decay": 0.01}}, "trials": 2}
    (copy.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH | over))
    done = copy.snakemake(*RUN)
    assert done.returncode == 0, done.stderr
    for rung in ("round-0/rung-0", "round-0/rung-1"):
        for trial in json.loads((copy.path / DIRECTORY / f"{rung}.json").read_text())["trials"]:
            result = json.loads((copy.path / DIRECTORY / rung / f"trial-{trial['trial']}/trial.json").read_text())
            assert result["cause"] == trial["cause"]
            assert '"weight_decay":0.01' in result["cause"]
    assert copy.planned(*RUN) == set()


@pytest.mark.full
def test_the_study_of_the_winner_trains_both_on_the_same_arrays(searched):
    study = f"study={DIRECTORY}/mine-winner.yaml"
    rules = searched.planned("--cores", "1", "study", study)
    assert {"train", "evaluate", "study_table"} <= rules
    assert not rules & {"arrays", "stats", "download"}


@pytest.mark.full
def test_a_search_without_a_kill_finds_the_same(place, searched, tmp_path):
    copy = place.copy(tmp_path)
    done = copy.snakemake(*RUN)
    assert done.returncode == 0, done.stderr
    assert results(copy) == results(searched)


@pytest.mark.full
def test_on_slurm_a_trial_gets_what_a_training_gets(tmp_path):
    place = workspace.make(tmp_path, 20, 20)
    (place.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH))
    names = [f"data/{split}_{part}.npy" for split in ("train", "holdout") for part in ("images", "labels")]
    for name in [*names, "data/dataset.json", "data/stats.json"]:
        (place.path / name).parent.mkdir(exist_ok=True)
        (place.path / name).touch()
    commands = tmp_path / "bin"
    commands.mkdir()
    answers = {"sbatch": f'printf "%s\\n" "$@" > {tmp_path}/called; echo no node >&2; exit 1', "sinfo": "echo 'main*'"}
    for name in ("sbatch", "sinfo", "squeue", "sacct", "sacctmgr", "sshare", "scontrol"):
        (commands / name).write_text(f"#!/bin/sh\n{answers.get(name, 'exit 0')}\n")
        (commands / name).chmod(0o755)
    line = place.line("search", "search=mine.yaml", "--workflow-profile", "profiles/slurm", "--retries", "0",
                      "--allowed-rules", "propose", "trial", "search_page", "search")  # fmt: skip
    env = workspace.environment() | {"PATH": f"{commands}:{os.environ['PATH']}"}
    done = subprocess.run(line, cwd=place.path, capture_output=True, text=True, check=False, env=env)
    assert (place.path / DIRECTORY / "round-0/rung-0.json").is_file(), done.stderr  # chosen where snakemake runs
    called = (tmp_path / "called").read_text().splitlines()
    assert {"--signal=TERM@90", "--nodes=1", "--gpus=1", "720"} <= set(called)
    assert any("trial" in word and "rung" in word for word in called)


def test_a_faulty_search_stops_before_any_job(tmp_path):
    place = workspace.make(tmp_path, 20, 20)
    (place.path / "mine.yaml").write_text(yaml.safe_dump(SEARCH | {"settings": {}}))
    for command, message in (
        (RUN, "data.holdout = 0: a search never uses the test split"),
        (("--cores", "1", "search"), "name a search with --config search=NAME: one of cpu-peak-cosine"),
    ):
        done = place.snakemake(*command)
        assert done.returncode != 0
        assert message in done.stderr
        assert "Traceback (most recent" not in done.stderr
        assert not (place.path / DIRECTORY).exists()


def test_a_training_that_monitors_the_holdout_split_opens_no_test_array(data, params, tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    for part in ("images", "labels"):
        array = np.load(data / f"train_{part}.npy")
        np.save(folder / f"train_{part}.npy", array[20:])
        np.save(folder / f"holdout_{part}.npy", array[:20])
    for name in ("dataset.json", "stats.json"):
        (folder / name).write_text((data / name).read_text())
    line = ("--data", folder, "--stats", folder / "stats.json", "--seed", 0, "--out", tmp_path / "trial/seed-0")
    chosen = params(data={"holdout": 20}, train={"epochs": 1})
    done = step("train", "--params", chosen, *line, "--resume", tmp_path / "resume")
    assert done.returncode == 0, done.stderr
    (tmp_path / "trial/params.yaml").write_text(chosen.read_text())
    assert step("search", "trial", tmp_path / "trial", "--seed", 0, "--exit-code", 0).returncode == 0
    result = json.loads((tmp_path / "trial/trial.json").read_text())
    assert result["accuracy"] == json.loads((tmp_path / "trial/seed-0/metrics.json").read_text())["accuracy"]


def test_the_code_of_a_failed_training_is_passed_on(tmp_path):
    assert step("search", "trial", tmp_path, "--seed", 0, "--exit-code", 75).returncode == 75
    assert not (tmp_path / "trial.json").exists()
