"""No name of a file, a study or a directory reaches a shell unquoted."""

import json
import re
import shutil
import subprocess

import dvc_project
import numpy as np
import pytest
import tiny_gan
import workspace
import yaml
from conftest import ROOT
from PIL import Image

SHELL = re.compile(r"^( *)shell:\n((?:\1 +.*\n)+)|shell\(\n?((?:.*\n)*?.*)\)\n", re.MULTILINE)
PLACEHOLDER = re.compile(r"\{(?!\{)([^{}]*)\}")
RULES = sorted((ROOT / "workflow").rglob("*.smk"))


def lines(path):
    """The texts of all shell commands in a file of rules."""
    return [match[2] or match[3] for match in SHELL.finditer(path.read_text(encoding="utf-8"))]


def test_every_placeholder_of_every_shell_command_is_quoted():
    found = [(path.name, each) for path in RULES for text in lines(path) for each in PLACEHOLDER.findall(text)]
    assert len(found) > 150
    assert [(name, each) for name, each in found if not each.endswith(":q")] == []


HOSTILE = "a$(touch PWNED) `touch PWNED` 'x' (1) {b} ; touch PWNED;"


def unharmed(folder):
    """Whether none of the commands hidden in the names ran."""
    return not list(folder.rglob("PWNED"))


@pytest.mark.full
def test_a_hostile_name_of_an_archive_runs_nothing(tmp_path):
    place = workspace.make(tmp_path)
    hostile = tmp_path / f"{HOSTILE}.tar.gz"
    shutil.copy(place.archive, hostile)
    settings = {"urls": [str(hostile)], "layout": "binary", "sha256": None, "bytes": None}
    done = place.snakemake("data/stats.json", f"data={json.dumps(settings)}")
    assert done.returncode == 0, done.stderr
    assert (place.path / "data/stats.json").is_file()
    assert unharmed(tmp_path)


@pytest.mark.full
def test_a_hostile_name_of_a_study_runs_nothing(tmp_path):
    place = workspace.make(tmp_path)
    study = {
        "question": "?", "seeds": 2, "settings": {"train": {"epochs": 1}},
        "variants": {"a b": {}, "b": {"model": {"width": 8}}},
    }  # fmt: skip
    name = "my $(touch PWNED) 'study'; touch PWNED;"
    (place.path / f"{name}.yaml").write_text(yaml.safe_dump(study))
    done = place.snakemake("study", f"study={name}.yaml")
    assert done.returncode == 0, done.stderr
    assert (place.path / "results/studies" / name / "table.md").is_file()
    assert unharmed(tmp_path)


NET = """
import torch

def net(classes, width):
    features = torch.nn.Conv2d(3, width, 3), torch.nn.AdaptiveAvgPool2d(1), torch.nn.Flatten()
    return torch.nn.Sequential(*features, torch.nn.Linear(width, classes))
"""


@pytest.mark.full
def test_hostile_names_of_classes_images_presets_networks_and_variants_run_nothing(tmp_path):
    place = workspace.make(tmp_path)
    names, draw = ["$(touch PWNED)", ";touch PWNED;", "it's `touch PWNED` & (1)"], np.random.default_rng(0)
    images = tmp_path / "my $(touch PWNED) photos' (1)"
    for name in names:
        (images / name).mkdir(parents=True)
        for i in range(12):
            picture = Image.fromarray(draw.integers(0, 256, (32, 32, 3), dtype=np.uint8))
            picture.save(images / name / f"{i} $(touch PWNED);'.png")
    network = place.path / "workflow/networks/my $(touch PWNED) 'net'.py"
    network.write_text(NET)
    preset = tmp_path / "my preset $(touch PWNED); 'x' (1).yaml"
    data = {"urls": [str(images)], "sha256": None, "bytes": None, "layout": "folders", "size": 32, "classes": None}
    model = {"family": "file", "path": str(network.relative_to(place.path)), "name": "net", "arguments": {"width": 4}}
    train = {"epochs": 1, "batch": 4, "schedule": {"peak": 0.1}}
    preset.write_text(yaml.safe_dump({"data": data, "model": model, "train": train}))
    study = {
        "question": "$(touch PWNED)?", "seeds": 2,
        "variants": {"a $(touch PWNED) 'x'": {}, "; touch PWNED;": {"train": {"batch": 8}}},
    }  # fmt: skip
    (place.path / "ab.yaml").write_text(yaml.safe_dump(study))
    author = "submission={author: \"$(touch PWNED) 'x'; touch PWNED;\"}"
    for line in (["all", "plots", "crate", "model_card", "--config", author],
                 ["study", "--config", author, "study=ab.yaml"]):  # fmt: skip
        done = tiny_gan.plain(place, *line, "--configfile", str(preset))
        assert done.returncode == 0, done.stderr
        assert unharmed(tmp_path)
    (made,) = (place.path / "experiments").iterdir()
    assert json.loads((made / "data/dataset.json").read_text())["classes"] == sorted(names)
    assert "touch PWNED" in (made / "results/model-card.md").read_text()


@pytest.mark.full
def test_the_workflow_runs_in_a_folder_with_blanks_and_signs_in_its_name(tmp_path):
    place = workspace.make(tmp_path / "My Repo (1) & $(touch PWNED)'s")
    done = place.snakemake("all", "plots")
    assert done.returncode == 0, done.stderr
    assert (place.path / "results/summary.md").is_file()
    assert unharmed(tmp_path)


@pytest.mark.full
def test_a_seed_that_is_no_number_reaches_no_shell_of_dvc(tmp_path):
    place = workspace.make(tmp_path)
    workspace.write_params(place, *dvc_project.TINY)
    project = dvc_project.adopt(place)
    assert dvc_project.ran(project.dvc("repro", "prepare")) == ["prepare"]
    params = place.path / "params.yaml"
    params.write_text(re.sub(r"^seeds: .*$", 'seeds: ["0;touch PWNED;"]', params.read_text(), flags=re.MULTILINE))
    assert "seeds.0 = " in project.dvc("repro", fails=True)
    assert unharmed(tmp_path)


def test_make_quotes_the_path_of_the_checkout(tmp_path):
    text = (ROOT / "Makefile").read_text()
    recipes = [line for line in text.splitlines() if line.startswith("\t")]
    assert [line for line in recipes if "$(CURDIR)" in line or "$(PWD)" in line] == []
    place = tmp_path / "My Repo (1) & $(touch PWNED)'s"
    (place / "site").mkdir(parents=True)
    line = next(line for line in recipes if "dawn.pth" in line).replace("$(BIN)/python", "fake")
    (place / "fake").write_text("#!/bin/sh\necho site\n")
    (place / "fake").chmod(0o755)
    (place / "Makefile").write_text(f"all:\n{line.replace('fake', './fake')}\n")
    subprocess.run(["make"], cwd=place, check=True)
    assert (place / "site/dawn.pth").read_text() == f"{place}/workflow\n"
    assert unharmed(tmp_path)
