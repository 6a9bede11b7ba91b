"""Attempts to make the metrics of one experiment appear under the params of another. None may succeed."""

import json
import os
import shutil
import subprocess
import time

import dvc_project
import finished
import pytest

pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    """A project whose first experiment is its HEAD."""
    place = finished.once(tmp_path_factory, "dvc-once", dvc_project.run_first)
    made = dvc_project.Project(place.copy(tmp_path_factory.mktemp("stale")).path)
    made.git("commit", "--quiet", "--all", "--message", "The first experiment")
    return made


@pytest.fixture(autouse=True)
def back(project):
    """After each attempt the workspace is that of HEAD."""
    yield
    project.git("reset", "--quiet", "--hard")
    project.git("clean", "--quiet", "--force")
    project.dvc("checkout", "--force")


def edit(project, name, old, new):
    path = project.path / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def age(project, *patterns, seconds):
    """Move the time of files, as a copy, a checkout or a wrong clock does."""
    for path in (path for pattern in patterns for path in project.path.glob(pattern)):
        os.utime(path, (time.time() + seconds,) * 2)


TRAINED = {"train@0"}
EVALUATED = {"evaluate@0", "summarize"}
EDITS = [
    ("workflow/dawn/tasks/classify/schedule.py", "\n", "\n\n", TRAINED),
    ("workflow/dawn/evaluate.py", "\n", "\n\n", {"evaluate@0"}),
    ("requirements/runtime.lock", "\n", "\n\n", {"prepare"} | TRAINED | EVALUATED),
    ("containers/Dockerfile", "\n", "\n\n", {"prepare"} | TRAINED | EVALUATED),
    ("Snakefile", "\n", "\n\n", {"prepare"} | TRAINED | EVALUATED),
    ("params.yaml", "epochs: 1", "epochs: 2", TRAINED | EVALUATED),
    ("params.yaml", "holdout: 0", "holdout: 50", {"prepare"} | TRAINED | EVALUATED),
    ("params.yaml", "steps: 100", "steps: 50", set()),
    ("params.yaml", "cost_per_hour: 3.6", "cost_per_hour: 7.2", EVALUATED),
]


def label(value):
    """A test's name; sets are sorted, since the name must be the same in every process."""
    return (" ".join(sorted(value)) if isinstance(value, set) else str(value))[:30]


@pytest.mark.parametrize(("name", "old", "new", "stages"), EDITS, ids=label)
def test_an_edit_is_seen_whatever_the_clock_says(project, name, old, new, stages):
    edit(project, name, old, new)
    age(project, name, seconds=-1e6)
    assert stages <= project.changed()
    assert project.changed() <= stages | (EVALUATED if stages & TRAINED else set())


def test_unlucky_times_and_no_memory_of_snakemake(project):
    shutil.rmtree(project.path / ".snakemake")
    age(project, "results/**/*", seconds=1e6)
    age(project, "params.yaml", "workflow/**/*", seconds=-1e6)
    assert project.exp("-n", "unlucky", "-S", "train.epochs=2") == ["train@0", "evaluate@0", "summarize"]
    assert project.verified("unlucky") != project.verified("first")


def test_seeds_that_come_and_go(project):
    assert project.exp("-n", "two", "-S", "seeds=[0,1]") == ["train@1", "evaluate@1", "summarize"]
    assert project.verified("two")["accuracy"]["std"] is not None
    assert project.exp("-n", "other", "-S", "seeds=[1]") == ["summarize"]
    assert project.verified("other")["seeds"] == 1
    assert {path.name for path in (project.path / "results/manifests").iterdir()} == {"1.json"}
    assert project.changed() == set()


def test_params_edited_while_a_training_runs(project):
    with subprocess.Popen(
        ["dvc", "exp", "run", "-n", "raced", "-S", "train.epochs=60"], cwd=project.path, text=True,
        env=dvc_project.environment(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    ) as process:  # fmt: skip
        for line in process.stdout:
            if "epoch  1/60" in line:
                edit(project, "params.yaml", "epochs: 60", "epochs: 61")
        assert process.wait() != 0
    assert "raced" not in project.dvc("exp", "list")
    assert not (project.path / "results/metrics.json").exists()
    assert "train@0" in project.changed()


@pytest.mark.parametrize(
    ("setting", "where"), [("train.schedule.peak=1e9", []), ("train.epochs=-1", ["--temp"])], ids=["workspace", "temp"]
)
def test_an_experiment_that_fails_leaves_no_metrics_and_a_usable_workspace(project, setting, where):
    project.exp("-n", "bad", "-S", setting, *where, fails=True)
    if not where:
        assert not (project.path / "results/metrics.json").exists()
        assert project.exp("-S", "train.schedule.peak=0.1", "-S", "train.epochs=1") == []
    assert "bad" not in project.dvc("exp", "list")
    assert project.metrics() == project.verified("first")


def test_results_of_other_params_are_refused(project):
    edit(project, "params.yaml", "epochs: 1", "epochs: 2")
    assert "dvc repro" in project.run("make", "sync", fails=True)
    line = ("results/metrics.json", "--forceall", "--allowed-rules", "evaluate", "summarize")
    assert "made with another train section" in project.run("snakemake", *line, fails=True)  # as make save does
    project.run("make", "save", "NAME=kept")
    assert len(json.loads(project.stored("kept", "results/curves.json"))) == 2
    project.verified("kept")


def test_what_was_edited_by_hand_is_refused(project):
    edit(project, "results/seed-0/evaluation.json", '"accuracy"', '"accuracy" ')
    line = ("results/metrics.json", "--forceall", "--allowed-rules", "summarize")
    assert "was changed after the evaluation" in project.run("snakemake", *line, fails=True)
    assert project.dvc("repro").count("is cached - skipping run") >= 1
    assert project.metrics() == project.verified("first")


def test_from_preset_to_preset_and_back(project):
    edit(project, "params.yaml", "width: 4 ", "width: 6 ")
    assert project.exp("-n", "wide")[0] == "train@0"
    assert project.verified("wide")["parameters"] > project.verified("first")["parameters"]
    project.git("checkout", "--quiet", "params.yaml")
    assert project.exp("-n", "return") == []
    assert project.verified("return") == project.verified("first") == project.metrics()
    assert json.loads((project.path / "results/model.json").read_text())["width"] == 4
