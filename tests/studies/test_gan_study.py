"""A study of GANs under the real engine: judges trained once, samples measured, verdicts by a measure of GANs."""

import csv
import json

import pytest
import workspace
import yaml

pytestmark = pytest.mark.full
JUDGE = {
    "model": {"blocks": [1, 1], "width": 4, "bn_momentum": 0.1},
    "train": {"epochs": 1, "batch": 32, "schedule": {"peak": 0.1}, "augment": {"pad": 2}},
}
NETWORK = {"architecture": "dcgan", "width": 4, "extra_layers": 0}
STUDY = {
    "question": "Is hinge better?",
    "seeds": 2,
    "measure": "coverage",
    "difference": 0.05,
    "settings": {
        "task": "gan",
        "gan": {"generator": NETWORK, "critic": NETWORK, "epochs": 2, "batch": 16, "clamp": None, "phases": [[0, 1]],
                "critic_steps": {"usual": 1, "every": 0}},
        "judge": {"preset": "tiny-judge", "seeds": 1},
        "measures": {"neighbours": 3},
    },
    "variants": {"wasserstein": {"gan": {"clamp": 0.01}}, "hinge": {"gan": {"loss": "hinge"}}},
}  # fmt: skip


@pytest.fixture(scope="module")
def done(tmp_path_factory):
    place = workspace.make(tmp_path_factory.mktemp("gans"))
    (place.path / "workflow/presets/tiny-judge.yaml").write_text(yaml.safe_dump(JUDGE))
    (place.path / "workflow/studies/tiny.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False))
    run = place.snakemake("study", "study=tiny", "--cores", "1")
    assert run.returncode == 0, run.stderr
    assert "4 trainings to do" in run.stderr
    assert "Is hinge better?" in run.stderr
    return place


def test_judges_are_trained_once_for_all_variants(done):
    studied = done.path / "results/studies/tiny"
    assert len(list(studied.glob("judge/seed-*/model.safetensors"))) == 1
    assert not list(studied.glob("*/judge"))
    found = [json.loads(path.read_text())["judges"] for path in studied.glob("*/seed-*/evaluation.json")
             if path.parent.parent.name != "judge"]  # fmt: skip
    assert len(found) == 4
    assert all(judges == found[0] for judges in found)


def test_the_table_is_of_the_measure_that_decides(done):
    studied = done.path / "results/studies/tiny"
    with (studied / "table.csv").open() as file:
        base, other = csv.DictReader(file)
    for slug, row in (("wasserstein", base), ("hinge", other)):
        values = [json.loads((studied / f"{slug}/seed-{s}/evaluation.json").read_text())["measures"] for s in (0, 1)]
        for measure in ("coverage", "kid", "checkerboard_distance"):
            mean = sum(each[measure]["value"] for each in values) / 2
            assert float(row[f"{measure}_mean"]) == pytest.approx(mean), measure
    assert other["verdict"]
    assert float(base["generator_parameters"]) > 0
    text = (studied / "table.md").read_text()
    assert "KID-judge ↓" in text
    assert "generator's MFLOP" in text
    assert {path.stem for path in (studied / "plots").iterdir()} == {"differences", "values", "price", "curves"}


def test_a_finished_study_runs_nothing_and_another_measure_only_compares(done):
    assert done.planned("study", "study=tiny") == set()
    path = done.path / "workflow/studies/tiny.yaml"
    path.write_text(yaml.safe_dump(STUDY | {"measure": "kid"}, sort_keys=False))
    try:
        assert done.planned("study", "study=tiny") == {"study", "study_table"}
    finally:
        path.write_text(yaml.safe_dump(STUDY, sort_keys=False))


def test_two_variants_compared(done):
    run = done.snakemake("compare", "base=tiny/wasserstein", "other=tiny/hinge", "difference=0.1")
    assert run.returncode == 0, run.stderr
    assert "gan.loss" in run.stdout
    assert "KID-judge" in run.stdout
