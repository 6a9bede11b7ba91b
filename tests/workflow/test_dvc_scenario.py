"""One scenario of DVC: results never stand next to settings that did not make them."""

import dvc_project
import pytest

EVALUATE = {"evaluate@0", "evaluate@1"}


@pytest.fixture(scope="module")
def project(copied):
    """The finished run as a DVC project."""
    return dvc_project.adopt(copied)


def restore(project):
    """Make the workspace that of the commit again."""
    project.git("reset", "--quiet", "--hard")
    project.dvc("checkout", "--force")
    assert project.changed() == set()


@pytest.mark.parametrize(
    ("name", "old", "new", "stages"),
    [
        ("params.yaml", "tta: none", "tta: six", EVALUATE | {"summarize"}),
        ("params.yaml", "save_every: 1", "save_every: 2", set()),
        ("workflow/rules/train.smk", "\n", "\n\n", {"train@0", "train@1", "summarize"} | EVALUATE),
        ("results/metrics.json", "mean", "median", {"summarize"}),
        ("results/seed-0/metrics.json", "seed", "sead", {"train@0", "evaluate@0"}),
        ("results/manifests/0.json", "0", "1", {"evaluate@0", "summarize"}),
    ],
    ids=lambda value: " ".join(sorted(value))[:30] if isinstance(value, set) else str(value)[:30],
)
def test_an_edit_is_seen(project, name, old, new, stages):
    path = project.path / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    try:
        assert project.changed() == stages
    finally:
        path.write_text(text)


def test_snakemake_deletes_nothing_in_a_dry_run_of_a_stage(project):
    before = (project.path / "results/metrics.json").read_bytes()
    project.run("snakemake", "-n", "--quiet", DVC_STAGE="train@0")
    assert (project.path / "results/metrics.json").read_bytes() == before


@pytest.mark.full
def test_an_experiment_that_fails_leaves_no_metrics(project):
    project.exp("-n", "bad", "-S", "train.epochs=-1", fails=True)
    assert not (project.path / "results/metrics.json").exists()
    assert "bad" not in project.dvc("exp", "list")
    restore(project)


UNSEEN = "DVC tracks params.yaml alone"


def test_settings_that_dvc_cannot_see_are_refused_in_a_stage(project):
    line = ("snakemake", "-n", "--quiet", "host")
    assert UNSEEN in project.run(*line, fails=True, DVC_STAGE="train@0", SNAKEMAKE_PROFILE="profiles/demo")


@pytest.mark.full
def test_an_experiment_of_settings_that_dvc_cannot_see_is_refused(project):
    line = ("dvc", "exp", "run", "-n", "unseen", "-S", "evaluate.tta=mirror")
    assert UNSEEN in project.run(*line, fails=True, SNAKEMAKE_PROFILE="profiles/demo")
    assert "unseen" not in project.dvc("exp", "list")
    restore(project)


@pytest.mark.full
def test_an_evaluation_setting_evaluates_and_trains_nothing(project):
    first = project.metrics()
    assert project.exp("-n", "mirror", "-S", "evaluate.tta=mirror", "-S", "seeds=[0]") == ["evaluate@0", "summarize"]
    assert project.verified("mirror")["loss"] != first["loss"]
    assert "Nothing to be done" in project.planned()
    assert {path.name for path in (project.path / "results/manifests").iterdir()} == {"0.json"}
    restore(project)
    assert project.metrics() == first
