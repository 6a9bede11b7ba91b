"""A CycleGAN through both engines: Snakemake and DVC run the same rules, and each only what a change decides."""

import json
import re
import zipfile

import dvc_project
import numpy as np
import pytest
import tiny_gan
import workspace
from archives import bomb
from seeds import write_image

from dawn.config import registry
from dawn.core.files import sha256

SETTINGS = (
    "task=cycle",
    "seeds=[0, 1]",
    "domains={kind: shapes, train: 12, test: 6}",
    "cycle={generator: {width: 4, blocks: 1}, critic: {width: 4, receptive_field: 16}, epochs: 1, batch: 4}",
)
CLASSES = (
    "domains={kind: classes, a: [disc, ring], b: [square]}",
    f"judge={{preset: {tiny_gan.JUDGE}, seeds: [0]}}",
    "train={epochs: 1}",
)
SHOWN = {"plot", "summarize", "summary", "all"}
TRAINED = SHOWN | {"train", "evaluate", "provenance"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A workspace in which the tiny CycleGAN has run."""
    place = tiny_gan.prepared(tmp_path_factory.mktemp("cycle"), *SETTINGS)
    done = tiny_gan.plain(place, "all", "crate")
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture(scope="module")
def between_classes(tmp_path_factory):
    """A workspace in which the tiny CycleGAN has run between classes, which a judge tells apart."""
    place = tiny_gan.prepared(tmp_path_factory.mktemp("classes"), *SETTINGS, *CLASSES, "seeds=[0]")
    done = tiny_gan.plain(place)
    assert done.returncode == 0, done.stderr
    return place


@pytest.mark.full
def test_between_classes_a_judge_measures_and_an_edit_of_it_trains_no_cyclegan(between_classes):
    evaluation = json.loads((between_classes.path / "results/seed-0/evaluation.json").read_text())
    weights = sha256(between_classes.path / "results/judge/seed-0/model.safetensors")
    assert [judge["sha256"] for judge in evaluation["judges"]] == [weights]
    assert {"target_accuracy_to_b", "target_accuracy", "kid_to_a", "kid"} <= evaluation["measures"].keys()
    assert [set(row) for row in evaluation["progress"]] == [{"target_accuracy", "kid"}]
    page = (between_classes.path / "results/summary.md").read_text()
    assert re.match("# Judges see the target in .* % over 1 seed", page)
    assert "No truth is known: 1 classifier of all classes, right on" in page
    assert tiny_gan.planned(between_classes) == set()
    with tiny_gan.restored(between_classes):
        tiny_gan.change(between_classes, "train={epochs: 2}")
        assert tiny_gan.planned(between_classes) == SHOWN | {"train_judge", "evaluate_judge", "evaluate"}
        tiny_gan.change(between_classes, "judge={preset: null}")
        assert tiny_gan.planned(between_classes) == SHOWN | {"evaluate"}


@pytest.mark.full
def test_dvc_trains_another_judge_and_measures_by_it(between_classes):
    project = dvc_project.adopt(between_classes)
    assert project.changed() == set()
    assert project.exp("-S", "judge.seeds=[1]") == ["judge@1", "evaluate@0", "summarize"]
    assert not (between_classes.path / "results/judge/manifests/0.json").exists()
    refused = project.dvc("exp", "run", "-S", "domains.kind=shapes", fails=True)
    assert "dvc.yaml is not for task: cycle without judges; write it: python -m dawn.dvc_stages" in refused


FOLDERS = ("trainA", "trainB", "testA", "testB")


@pytest.fixture
def own(tmp_path):
    """A workspace for a CycleGAN between the images of four folders, without judges."""
    place = workspace.make(tmp_path)
    rng = np.random.default_rng(0)
    for folder in FOLDERS:
        for i in range(6):
            write_image(place.path / "photos" / folder / f"{i}.png", rng.integers(0, 256, (40, 50, 3), dtype=np.uint8))
    data = "data={urls: [photos], sha256: null, bytes: null, layout: folders, classes: null, size: 32}"
    more = ("domains={kind: classes, a: [A], b: [B]}", "judge={preset: null}", "seeds=[0]")
    workspace.write_params(place, *SETTINGS, data, *more)
    return place


@pytest.mark.full
def test_four_folders_of_images_become_translations(own):
    done = tiny_gan.plain(own)
    assert done.returncode == 0, done.stderr
    about = json.loads((own.path / "data/domains.json").read_text())
    assert (about["names"], about["counts"]["domain_a_train"]) == (["A", "B"], 6)
    assert np.load(own.path / "results/seed-0/in_b.npy").shape == (6, 32, 32, 3)
    assert "there are no judges, so only the cycle is measured" in (own.path / "results/summary.md").read_text()


@pytest.mark.full
@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda folder: (folder / "trainA/1.png").write_bytes(b"junk"), "1 of 24 images cannot be read"),
        (lambda folder: (folder / "testB/1.png").write_bytes(bomb()), "1 of 24 images cannot be read"),
        (lambda folder: [path.unlink() for path in (folder / "testB").glob("*")], "no images in 'testB'"),
    ],
)
def test_a_bad_folder_is_refused_in_one_line_before_a_training(own, damage, message):
    damage(own.path / "photos")
    done = tiny_gan.plain(own)
    assert done.returncode != 0
    (line,) = [line for line in done.stderr.splitlines() if line.startswith("dawn.")]
    assert message in line
    assert not list(own.path.glob("data/*.npy"))
    assert not (own.path / "results/seed-0").exists()


@pytest.mark.full
def test_a_run_leaves_its_page_and_its_crate_and_runs_nothing_again(place):
    results = place.path / "results"
    for seed in (0, 1):
        assert {path.name for path in (results / f"seed-{seed}").iterdir()} == set(registry.task("cycle").seed_files)
    assert re.match("# Translations .* above the identity over 2 seeds", (results / "summary.md").read_text())
    assert tiny_gan.planned(place) == set()
    with zipfile.ZipFile(results / "crate.zip") as crate:
        names = set(crate.namelist())
    assert {f"results/seed-{seed}/{name}" for seed in (0, 1) for name in registry.task("cycle").seed_files} <= names


@pytest.mark.full
@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("cycle={epochs: 2}", TRAINED | {"model"}),
        ("domains={seed: 1}", TRAINED | {"domains"}),
        ("train={epochs: 7}", set()),
        ("gan={epochs: 7}", set()),
    ],
)
def test_a_change_runs_what_it_decides(place, setting, rules):
    with tiny_gan.restored(place):
        tiny_gan.change(place, setting)
        assert tiny_gan.planned(place) == rules


@pytest.mark.full
def test_dvc_adopts_the_run_and_trains_again_what_changed(place):
    project = dvc_project.adopt(place)
    assert project.changed() == set()
    ran = project.exp("-S", "cycle.batch=6", "-S", "seeds=[0]")
    assert ran == ["train@0", "evaluate@0", "summarize"]
    assert project.metrics()["seeds"] == 1
    assert not (place.path / "results/manifests/1.json").exists()
