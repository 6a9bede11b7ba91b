"""What counts as finished, and the words for what differs."""

import json

import pytest
import yaml
from conftest import experiment

from dawn.core.cli import InputError
from dawn.results.finished import changes, evaluated, finished, made_by, other_images, require
from dawn.results.manifest import choices


def write(run, made, seeds=(0,)):
    """The files of finished seeds that are looked at."""
    (run / "manifests").mkdir(parents=True, exist_ok=True)
    (run / "params.yaml").write_text(yaml.safe_dump(made.model_dump(mode="json")))
    for seed in seeds:
        (run / f"seed-{seed}").mkdir(exist_ok=True)
        (run / f"seed-{seed}/model.safetensors").touch()
        about = {"choices": choices(made, *made.decided_by), "sha256": {}}
        (run / f"manifests/{seed}.json").write_text(json.dumps(about))


def test_the_finished_experiment_is_read_from_its_results(tmp_path):
    made = experiment(seeds=[0, 3])
    write(tmp_path, made, (0, 3))
    assert finished(tmp_path) == made


@pytest.mark.parametrize("missing", ["params.yaml", "manifests/3.json", "seed-3/model.safetensors"])
def test_an_unfinished_experiment_is_refused(tmp_path, missing):
    write(tmp_path, experiment(seeds=[0, 3]), (0, 3))
    (tmp_path / missing).unlink()
    said = "has no trained network" if missing == "params.yaml" else "seed-3 is not finished"
    with pytest.raises(InputError, match=said):
        finished(tmp_path)


def test_seeds_of_other_settings_are_refused_with_the_difference(tmp_path):
    write(tmp_path, experiment())
    with pytest.raises(InputError, match=r"seed-0 is of other settings \(train\.epochs: 2\.?0?, now 5"):
        require(tmp_path, experiment(train={"epochs": 5}), [0])
    require(tmp_path, experiment(run={"trace": True}), [0])


def test_a_manifest_of_an_earlier_version_lacks_settings(tmp_path):
    made = experiment()
    write(tmp_path, made)
    path = tmp_path / "manifests/0.json"
    about = json.loads(path.read_text())
    del about["choices"]["train"]["lookahead"]
    path.write_text(json.dumps(about))
    require(tmp_path, made, [0])


@pytest.mark.parametrize(
    ("about", "words"),
    [({}, "choices is missing"), ({"choices": {"data": None}, "sha256": {}}, "choices.data"), ([], "the value")],
)
def test_a_damaged_manifest_is_one_line(tmp_path, about, words):
    write(tmp_path, experiment())
    (tmp_path / "manifests/0.json").write_text(json.dumps(about))
    (seed,) = evaluated(tmp_path)
    assert seed == tmp_path / "seed-0"
    with pytest.raises(InputError, match=rf"manifests/0.json: {words}.*; delete it"):
        made_by(seed)


def test_changes_name_three_settings_and_count_the_others():
    made = {"train": {"epochs": 2, "schedule": {"peak": 1, "kind": "x"}, "batch": 8, "clip": None}, "old": 1}
    now = {"train": {"epochs": 3, "schedule": {"peak": 2, "kind": "x"}, "batch": 4, "clip": 1}}
    assert changes(made, made) == ""
    assert changes(made, now) == "train.epochs: 2, now 3; train.schedule.peak: 1, now 2; train.batch: 8, now 4; 1 more"


@pytest.mark.parametrize(
    ("made", "now", "other"),
    [
        ({"sha256": "a", "urls": ["x"]}, {"sha256": "a", "urls": ["y"]}, False),
        ({"sha256": "a", "urls": ["x"]}, {"sha256": "b", "urls": ["x"]}, True),
        ({"sha256": None, "urls": ["x"]}, {"sha256": "b", "urls": ["x"]}, False),
        ({"sha256": None, "urls": ["x"]}, {"sha256": None, "urls": ["y"]}, True),
    ],
)
def test_images_are_others_by_checksum_or_by_place(made, now, other):
    assert other_images(made, now) == other


def test_images_of_one_name_in_another_folder_are_others_unless_a_checksum_is_known():
    made = {"sha256": None, "urls": ["x"]}
    assert other_images(made, made, moved=True)
    assert not other_images(made | {"sha256": "a"}, made | {"sha256": "a"}, moved=True)
