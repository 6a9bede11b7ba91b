"""No name of a file, a study or a directory reaches a shell unquoted."""

import json
import re
import shutil

import pytest
import workspace
import yaml
from conftest import ROOT

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


@pytest.mark.full
def test_the_workflow_runs_in_a_folder_with_blanks_and_signs_in_its_name(tmp_path):
    place = workspace.make(tmp_path / "My Repo (1) & $(touch PWNED)'s")
    done = place.snakemake("all", "plots")
    assert done.returncode == 0, done.stderr
    assert (place.path / "results/summary.md").is_file()
    assert unharmed(tmp_path)
