"""Where an experiment finds its settings, and what the user names as results to compare."""

import json

import pytest
import workspace
import yaml

from dawn.core.files import sha256


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace.make(tmp_path_factory.mktemp("places"), train=64, test=20)


def test_params_yaml_may_leave_the_data_to_other_settings(place):
    path = place.path / "params.yaml"
    whole, values = path.read_text(), yaml.safe_load(path.read_text())
    del values["data"]
    path.write_text(yaml.safe_dump(values))
    data = yaml.safe_load(workspace.data(place.archive).removeprefix("data="))
    data["sha256"] = sha256(place.archive)
    assert {"download", "train"} <= place.planned("name=mine", f"data={json.dumps(data)}")
    path.write_text(whole)


def test_a_result_is_a_path_from_where_snakemake_was_called_or_a_name(place):
    (place.path / "experiments/mine").mkdir(parents=True, exist_ok=True)
    (place.path / "other").mkdir()
    done = place.snakemake("compare", "-n", "-p", "name=mine", "base=other", "other=some-branch")
    assert done.returncode == 0, done.stderr
    assert "python -m dawn.compare ../../other some-branch" in done.stdout + done.stderr
