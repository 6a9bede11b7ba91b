"""DVC as a user meets it: experiments made, repeated, queued, compared, applied, shared. One project throughout."""

import json
import os
import re
import signal
import subprocess
import time

import dvc_project
import finished
import pytest
from conftest import ROOT, step

from dawn.config import registry

pytestmark = pytest.mark.full
ALL = ["prepare", "train@0", "evaluate@0", "summarize"]


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose first experiment has run in the workspace."""
    place = finished.once(tmp_path_factory, "dvc-once", dvc_project.run_first)
    return dvc_project.Project(place.copy(tmp_path_factory.mktemp("dvc")).path)


def test_the_lists_of_code_are_what_the_steps_import():
    done = step("dvc_stages", "--check", ROOT / "dvc.yaml")
    assert done.returncode == 0, done.stderr


def test_a_clone_stays_clean_and_snakemake_agrees(project):
    assert project.git("status", "--short").split() == ["M", "dvc.lock"]
    assert "Nothing to be done" in project.planned()
    assert project.changed() == set()


def test_dvc_keeps_every_result(project):
    made = {p.relative_to(project.path).as_posix() for p in project.path.glob("results/**/*") if p.is_file()}
    lock = dvc_project.yaml.safe_load((project.path / "dvc.lock").read_text())["stages"]
    kept = {out["path"] for stage in lock.values() for out in stage["outs"]}
    assert made - {"results/made-from.json", "results/params.yaml"} == kept - {"data"}
    assert {f"results/seed-0/{name}" for name in registry.task("classify").seed_files} <= kept


def test_again_in_a_new_workspace_comes_from_the_run_cache(project):
    assert project.exp("--temp", "-n", "again") == []  # no stage ran
    assert project.verified("again") == project.verified("first")
    assert project.dvc("repro").count("didn't change, skipping") == len(ALL)


def test_an_experiment_is_read_by_its_name_to_be_reproduced(project):
    accuracy = project.metrics("first")["accuracy"]["mean"]
    said = project.run("python", "-m", "dawn.reproduce", "first", "--dry-run")
    assert f"first: accuracy {accuracy:.2f} %, n = 1" in said
    assert "is not there; name a crate" in project.run("python", "-m", "dawn.reproduce", "no", "--dry-run", fails=True)


def test_a_training_setting_trains_without_a_new_download(project):
    assert project.exp("-n", "high", "-S", "train.schedule.peak=0.8") == ALL[1:]
    assert project.verified("high") != project.verified("first")


def test_an_evaluation_setting_trains_nothing(project):
    assert project.exp("--temp", "-n", "mirror", "-S", "evaluate.tta=mirror") == ALL[2:]
    weights = [project.lock(rev)["train@0"]["outs"] for rev in ("high", "mirror")]
    assert weights[0] == weights[1]
    assert project.verified("mirror")["loss"] != project.verified("high")["loss"]


def test_a_grid_in_the_queue(project):
    project.dvc("exp", "run", "--queue", "-n", "grid", "-S", "train.epochs=2,3")
    project.dvc("queue", "start", "--jobs", "2")
    end = time.monotonic() + 240
    while re.search("Queued|Running", status := project.dvc("queue", "status")):
        assert time.monotonic() < end, status
        time.sleep(1)
    assert status.count("Success") == 2, status
    for name, epochs in (("grid-1", 2), ("grid-2", 3)):
        project.verified(name)
        assert len(json.loads(project.stored(name, "results/curves.json"))) == epochs
    assert not (project.path / ".resume").exists()


def test_a_killed_training_of_a_temporary_workspace_goes_on(project):
    line = ["dvc", "exp", "run", "--temp", "-n", "long", "-S", "train.epochs=80"]
    process = subprocess.Popen(
        line, cwd=project.path, env=dvc_project.environment(), start_new_session=True,
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while not list(project.path.glob(".resume/*/seed-0/state.pt")):
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert "continues after step" in project.run(*line)
    project.verified("long")
    assert not (project.path / ".resume").exists()


def test_what_changed_and_did_it_help(project):
    shown = project.dvc("exp", "show", "--csv")
    for name in ("first", "high", "mirror", "grid-1", "grid-2"):
        assert f"\n{name}," in shown
    for word in (
        "accuracy.mean",
        "target.seconds",
        "images_per_s.mean",
        "peak_memory_bytes.mean",
        "parameters",
        "flops",
    ):
        assert word in shown
    assert "dollars.mean" in shown
    assert re.search(r"train\.schedule\.peak +0\.1 +0\.8", project.dvc("params", "diff", "first", "high"))
    diff = project.dvc("exp", "diff", "high", "grid-1")
    assert re.search(r"accuracy\.mean", diff)
    assert re.search(r"train\.epochs +1 +2", diff)
    assert "train.epochs" not in project.dvc("params", "diff", "high", "mirror")
    assert "loss.mean" in project.dvc("metrics", "diff", "high", "mirror")


def test_plots_of_several_experiments(project):
    project.dvc("plots", "diff", "first", "grid-1", "grid-2", "--out", "plots.tmp")
    page = (project.path / "plots.tmp/index.html").read_text()
    for title in ("Accuracy", "Loss", "Learning rate", "Momentum", "Confusion", "Accuracy of each class"):
        assert f'"{title}"' in page
    for name in ("first", "grid-1", "grid-2"):
        assert f'"{name}"' in page
    project.run("rm", "-r", "plots.tmp")


def test_apply_and_one_command_brings_snakemake_in_step(project):
    project.dvc("exp", "apply", "grid-1")
    project.run("make", "sync")
    assert "Nothing to be done" in project.planned()
    assert project.metrics() == project.verified("grid-1")
    assert project.exp("-n", "after") == []


def test_a_branch_of_an_experiment(project):
    project.dvc("exp", "branch", "mirror", "better")
    project.git("stash", "--quiet")
    project.git("checkout", "--quiet", "better")
    project.dvc("checkout")
    project.run("make", "sync")
    assert "Nothing to be done" in project.planned()
    assert project.metrics() == project.metrics("better")
    assert "accuracy.mean" in project.dvc("metrics", "diff", "first", "better")


def test_a_run_of_plain_snakemake_is_kept(project):
    path = project.path / "params.yaml"
    path.write_text(path.read_text().replace("epochs: 1", "epochs: 2").replace("tta: mirror", "tta: none"))
    project.run("make", "save", "NAME=byhand")
    assert project.changed() == set()
    assert project.metrics() == project.verified("byhand")
    project.run("dvc", "commit", "--force")
    assert project.exp("-n", "recorded") == []


def test_runs_are_shared_through_a_directory(project, tmp_path):
    project.dvc("remote", "add", "--default", "--force", "team", str(tmp_path / "store"))
    project.git("commit", "--quiet", "--all", "--message", "The team's remote")
    project.dvc("push", "--run-cache")
    other = dvc_project.Project(tmp_path / "other")
    project.git("clone", "--quiet", str(project.path), str(other.path))
    other.dvc("pull", "--run-cache")
    assert other.metrics() == project.metrics()
    assert other.changed() == set()
    other.run("make", "sync")
    assert "Nothing to be done" in other.planned()
