"""A folder of images of the user's own, from the folder to the figures, predictions and a study."""

import json
import re
import subprocess

import numpy as np
import pytest
import workspace
from conftest import step
from photo_folder import COLOURS, photos
from seeds import write_image

pytestmark = pytest.mark.full


def snakemake(place, *args, **env):
    done = subprocess.run(
        [workspace.BIN / "snakemake", *args], cwd=place.path, text=True, check=False, env=workspace.environment() | env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def planned(place, *args):
    status, out = snakemake(place, "-n", "--quiet", "host", *args)
    assert status == 0, out
    return set(re.findall(r"^(\w+) +\d+$", out, re.MULTILINE)) - {"total"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A checkout with a preset made for a folder next to it, written into params.yaml, all of it run."""
    folder = tmp_path_factory.mktemp("own")
    made = workspace.make(folder, train=64, test=20)
    photos(folder / "my photos", 24)
    for line in (["new", "--data", folder / "my photos", "--out", "mine.yaml"], ["mine.yaml"]):
        done = step("preset", *line, cwd=made.path)
        assert done.returncode == 0, done.stderr
    text = (made.path / "params.yaml").read_text()
    text = (
        text.replace("epochs: 30", "epochs: 3")
        .replace("[32, 64, 128, 128]", "[16, 32, 64]")
        .replace("seeds: [0]", "seeds: [0, 1]")
    )
    (made.path / "params.yaml").write_text(text)
    status, out = snakemake(made, "all", "plots", "model_card")
    assert status == 0, out
    return made


def test_the_result_is_of_the_folder(place):
    about = json.loads((place.path / "data/dataset.json").read_text())
    assert about["classes"] == sorted(COLOURS)
    assert about["shape"] == [48, 48, 3]
    assert json.loads((place.path / "results/metrics.json").read_text())["accuracy"]["mean"] > 60
    assert json.loads((place.path / "results/model.json").read_text())["input"] == [3, 48, 48]
    assert "blue sky" in (place.path / "results/model-card.md").read_text()


def test_the_folder_is_classified_as_in_the_evaluation(place):
    seed = place.path / "results/seed-0"
    done = step("predict", "--format", "json", "--model", seed, place.path.parent / "my photos")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    right = [one["class"] == one["image"].split("/")[-2] for one in found]
    assert len(right) == 72
    assert np.mean(right) > 0.6


def test_a_change_in_the_folder_reads_it_again(place):
    assert planned(place) == set()
    path = place.path.parent / "my photos/rose/more.png"
    write_image(path)
    assert {"arrays", "stats", "train"} <= planned(place)
    path.unlink()
    assert planned(place) == set()


def test_other_settings_of_the_data_read_it_again(place):
    assert "arrays" in planned(place, "--config", "data={size: 40}")
    assert "arrays" not in planned(place, "--config", "train={epochs: 1}")


def test_dvc_asks_for_a_checksum(place):
    status, out = snakemake(place, "-n", DVC_STAGE="prepare")
    assert status == 1
    assert "set data.sha256" in out
    digest = json.loads((place.path / "data/dataset.json").read_text())["sha256"]
    params = place.path / "params.yaml"
    text = params.read_text()
    params.write_text(text.replace("sha256: null", f"sha256: {digest}"))
    status, out = snakemake(place, "-n", DVC_STAGE="prepare")
    params.write_text(text)
    assert status == 0, out


def test_a_folder_needs_a_size(place):
    status, out = snakemake(place, "-n", "--config", "data={size: null}")
    assert status == 1
    assert "set data.layout to folders and data.size to a size in pixels" in out


def test_a_bad_image_stops_with_its_path(place):
    bad = place.path.parent / "my photos/rose/bad.png"
    bad.write_bytes(b"none")
    status, out = snakemake(place)
    bad.unlink()
    assert status == 1
    assert f"{bad}: is no image of a known format" in out
