"""A tiny GAN by the real engines: its files, what runs again for Snakemake and DVC, its experiments, its crate."""

import json
import sys
import zipfile

import dvc_project
import finished
import numpy as np
import pytest
import tiny_gan
import yaml

from dawn.config import registry
from dawn.core.files import sha256

pytestmark = pytest.mark.full
SHOWN = {"plot", "summarize", "summary", "all"}
MEASURED = SHOWN | {"evaluate"}
REFERRED = MEASURED | {"references"}
ON_JUDGES = REFERRED | {"train_judge", "evaluate_judge"}
ON_TRAINING = MEASURED | {"train", "provenance"}
TRAIN, EVALUATE = {"train@0", "train@1"}, {"evaluate@0", "evaluate@1"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """The finished run, adopted by DVC."""
    once = finished.once(tmp_path_factory, "gan-once", tiny_gan.run)
    copy = once.copy(tmp_path_factory.mktemp("gan"))
    dvc_project.adopt(copy)
    return copy


@pytest.fixture(scope="module")
def project(place):
    return dvc_project.Project(place.path)


def test_a_run_leaves_its_files_and_measures(place, project):
    assert tiny_gan.planned(place) == set()
    assert project.changed() == set()
    results = place.path / "results"
    test = np.load(place.path / "data/test_labels.npy")
    for seed in (0, 1):
        assert {path.name for path in (results / f"seed-{seed}").iterdir()} == set(registry.task("gan").seed_files)
        assert np.load(results / f"seed-{seed}/samples.npy").shape == (len(test), 32, 32, 3)
        np.testing.assert_array_equal(np.load(results / f"seed-{seed}/sample_labels.npy"), test)
        evaluation = json.loads((results / f"seed-{seed}/evaluation.json").read_text())
        weights = sha256(results / "judge/seed-0/model.safetensors")
        assert [judge["sha256"] for judge in evaluation["judges"]] == [weights]
        assert {"kid", "fd", "precision", "class_accuracy", "critic_gap"} <= evaluation["measures"].keys()
        kid = evaluation["measures"]["kid"]
        assert {"floor", "copier", "noise", "blur", "one_class"} <= kid["references"].keys()
        assert kid["references"]["noise"]["value"] > kid["references"]["floor"]["value"]
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["seeds"] == 2
    assert metrics["kid"]["std"] > 0
    assert (metrics["kid"]["low"], metrics["kid"]["high"]) == (None, None), "two seeds do not bound their mean"


def test_dvc_keeps_every_result(project):
    made = {p.relative_to(project.path).as_posix() for p in project.path.glob("results/**/*") if p.is_file()}
    lock = yaml.safe_load((project.path / "dvc.lock").read_text())["stages"]
    kept = {out["path"] for stage in lock.values() for out in stage["outs"]}
    below = {path for path in made if path.split("/")[1] in ("plots", "references")}
    written = {"results/made-from.json", "results/params.yaml", "results/judge/params.yaml"}  # by every start
    assert made - below - written == kept - {
        "data", "results/plots", "results/references"
    }  # fmt: skip


@pytest.mark.parametrize(
    ("setting", "rules", "stages"),
    [
        ("gan={epochs: 2}", ON_TRAINING | {"model"}, TRAIN | EVALUATE | {"summarize"}),
        ("measures={truncation: 1}", MEASURED, EVALUATE | {"summarize"}),
        ("measures={neighbours: 3}", REFERRED, {"references"} | EVALUATE | {"summarize"}),
        ("judge={seeds: [0, 1]}", ON_JUDGES, {"judge@1", "references"} | EVALUATE | {"summarize"}),
        ("train={batch: 16}", ON_JUDGES, {"judge@0"}),
        ("run={save_every: 5}", set(), set()),
    ],
)
def test_a_setting_runs_what_it_decides(place, project, setting, rules, stages):
    with tiny_gan.restored(place):
        tiny_gan.change(place, setting)
        assert tiny_gan.planned(place) == rules
        assert project.changed() == stages


@pytest.mark.parametrize(
    ("module", "rules", "stages"),
    [
        ("tasks/gan/losses.py", ON_TRAINING, TRAIN),
        ("measures/kid.py", REFERRED, {"references"} | EVALUATE),
        ("tasks/gan/summary.py", {"summary", "all"}, {"summarize"}),
        ("monitoring/progress.py", set(), set()),
    ],
)
def test_an_edit_runs_what_it_decides(place, project, module, rules, stages):
    path = place.path / "workflow/dawn" / module
    before = path.read_text()
    path.write_text(before + "\n# edited\n")
    try:
        assert tiny_gan.planned(place) == rules
        assert project.changed() == stages
    finally:
        path.write_text(before)


def test_the_crate_holds_the_run(place):
    done = tiny_gan.plain(place, "crate")
    assert done.returncode == 0, done.stderr
    with zipfile.ZipFile(place.path / "results/crate.zip") as crate:
        names = set(crate.namelist())
    assert {f"results/seed-{seed}/{name}" for seed in (0, 1) for name in registry.task("gan").seed_files} <= names
    assert {"results/plots/gan-samples.png", "results/summary.md", "results/params.yaml"} <= names


def test_another_judge_is_refused_and_nothing_written(place):
    judge, seed = place.path / "results/judge/seed-0/model.safetensors", place.path / "results/seed-0"
    other = sorted(place.path.glob("results/seed-*/model.safetensors"))[0]
    before, evaluated = judge.read_bytes(), (seed / "evaluation.json").read_bytes()
    judge.unlink()
    judge.write_bytes(other.read_bytes())
    line = ["dawn.evaluate", "--params", "results/params.yaml", "--data", "data", "--stats", "data/stats.json",
            "--model", "results/seed-0/model.safetensors", "--judges", "results/judge/seed-0", "--references",
            "results/references/references.json", "--out", "results/seed-0", "--manifest", "m.json"]  # fmt: skip
    try:
        done = tiny_gan.command(place, sys.executable, "-m", *line)
        assert done.returncode == 1
        assert "results/judge/seed-0/model.safetensors" in done.stderr
        assert "Traceback" not in done.stderr
        assert (seed / "evaluation.json").read_bytes() == evaluated
    finally:
        judge.unlink()
        judge.write_bytes(before)


def test_an_experiment_of_dvc_measures_without_training(project):
    ran = project.exp("-n", "cut", "-S", "measures.truncation=1", "-S", "measures.cas=true", "-S", "seeds=[0]")
    assert ran == ["evaluate@0", "summarize"]
    metrics = project.metrics("cut")
    assert metrics["seeds"] == 1
    assert 0 <= metrics["cas"]["mean"] <= 1
    assert "kid.mean" in project.dvc("exp", "show", "--csv")
    assert "measures.truncation" in project.dvc("params", "diff", "HEAD", "cut")


def test_a_stage_of_the_other_task_names_the_remedy(project):
    output = project.dvc("exp", "run", "-S", "task=classify", fails=True)
    assert "dvc.yaml is not for task: classify without judges; write it: python -m dawn.dvc_stages" in output
    project.git("checkout", "--quiet", "params.yaml", "dvc.lock")
    project.dvc("checkout")
    assert (project.path / "results/judge/seed-0/model.safetensors").exists()
