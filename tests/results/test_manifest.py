"""Manifests: a file that was edited, or made by another experiment, is refused."""

import pytest
from conftest import experiment
from seed_files import seed

from dawn.config import registry
from dawn.core.cli import InputError
from dawn.core.files import write_json, write_text
from dawn.core.reading import read_json
from dawn.results.manifest import check, location, manifest, verify


@pytest.fixture
def path(tmp_path):
    return seed(tmp_path, 0, [50.0, 90.0])


def test_a_manifest_fits_its_files_and_its_experiment_alone(path):
    check(experiment(), path)
    check(experiment(run={"save_every": 7}), path)
    for section, over in {"evaluate": {"tta": "six"}, "train": {"epochs": 3}, "model": {"width": 8}}.items():
        with pytest.raises(InputError, match=f"made with another {section} section"):
            check(experiment(**{section: over}), path)


@pytest.mark.parametrize("name", registry.task("classify").seed_files)
def test_an_edited_file_is_refused(path, name):
    assert verify(path)["sha256"].keys() == set(registry.task("classify").seed_files)
    (path / name).write_bytes((path / name).read_bytes() + b" ")
    with pytest.raises(InputError, match=f"seed-0/{name} was changed after the evaluation.*manifests/0.json; delete"):
        verify(path)
    with pytest.raises(InputError, match="changed after"):
        check(experiment(), path)
    others = set(registry.task("classify").seed_files) - {name}
    verify(path, others)


def test_an_edited_accuracy_is_refused(path):
    """The case of an evaluation.json that claims more than was measured."""
    write_json(path / "evaluation.json", read_json(path / "evaluation.json") | {"accuracy": 99.0})
    with pytest.raises(InputError, match=r"evaluation\.json was changed"):
        verify(path, ["evaluation.json"])


def test_a_seed_without_a_manifest_is_not_finished(path):
    location(path).unlink()
    with pytest.raises(InputError, match=r"no manifest .*manifests/0\.json; finish the experiment"):
        verify(path)


def test_weights_of_another_experiment_get_no_manifest(path):
    with pytest.raises(InputError, match="another train section"):
        manifest(experiment(train={"epochs": 3}), path)
    write_text(path / "model.safetensors", "short")
    with pytest.raises(InputError, match="not a safetensors file"):
        manifest(experiment(), path)
