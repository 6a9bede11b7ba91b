"""A network in a file of the user's own, through the workflow: an edit to it trains again, a wrong one stops all."""

import os
import re
import subprocess

import pytest
import workspace
import yaml

pytestmark = pytest.mark.full
NET = """
import torch

class Net(torch.nn.Sequential):
    def __init__(self, classes, width):
        conv = torch.nn.Conv2d(3, width, 3, stride=2)
        super().__init__(conv, torch.nn.ReLU(), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten(),
                         torch.nn.Linear(width, classes))
"""


def snakemake(place, *args, **env):
    done = subprocess.run(
        [workspace.BIN / "snakemake", *args], cwd=place.path, text=True, check=False, env=workspace.environment() | env,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    return done.returncode, done.stdout


def settings(place, **model):
    """Write params.yaml with a small experiment on this network."""
    path = place.path / "params.yaml"
    values = yaml.safe_load(path.read_text())
    values["data"] |= {"urls": [str(place.archive)], "sha256": None, "bytes": None, "layout": "binary", "classes": None}
    values["model"] = {"family": "file", "path": "mine.py", "name": "Net", "arguments": {"width": 4}} | model
    values["train"] |= {"epochs": 1, "batch": 32}
    path.write_text(yaml.safe_dump(values))


def planned(place):
    status, out = snakemake(place, "-n", "--quiet", "host")
    assert status == 0, out
    return set(re.findall(r"^(\w+) +\d+$", out, re.MULTILINE)) - {"total"}


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = workspace.make(tmp_path_factory.mktemp("own"), train=64, test=20)
    (made.path / "mine.py").write_text(NET)
    settings(made)
    status, out = snakemake(made)
    assert status == 0, out
    return made


def test_an_edit_to_the_file_trains_again(place):
    os.utime(place.path / "mine.py")
    assert planned(place) == set()
    (place.path / "mine.py").write_text(NET.replace("stride=2", "stride=3"))
    assert {"train", "evaluate", "model"} <= planned(place)
    (place.path / "mine.py").write_text(NET)
    assert planned(place) == set()


@pytest.mark.parametrize(
    ("model", "message"),
    [({"path": "ours.py"}, "there is no file"), ({"name": "Nat"}, "name Nat: mine.py defines Net")],
)
def test_a_wrong_setting_stops_before_any_job(place, model, message):
    settings(place, **model)
    status, out = snakemake(place, "-n")
    settings(place)
    assert status == 1
    assert message in out


def test_dvc_refuses_a_file_that_it_does_not_track(place):
    status, out = snakemake(place, "-n", DVC_STAGE="train")
    assert status == 1
    assert "DVC tracks only workflow/networks/; move the file there" in out
