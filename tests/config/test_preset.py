"""Merging a preset into params.yaml keeps comments and order."""

import re
import shutil

import pytest
import yaml
from archives import call
from conftest import ROOT

from dawn import preset as command
from dawn.config.experiment import merge, read

PRESETS = sorted((ROOT / "workflow/presets").glob("*.yaml"))


@pytest.fixture
def file(tmp_path):
    return shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")


def comments(text):
    return re.findall(r"# .*", text)


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_the_file_holds_the_merged_settings(preset, file):
    assert call(command.main, preset, "--params", file) is None
    assert read(file) == merge(read(ROOT / "params.yaml"), read(preset))


def test_comments_order_and_unchanged_lines_stay(file):
    before = file.read_text()
    assert call(command.main, ROOT / "workflow/presets/demo.yaml", "--params", file) is None
    after = file.read_text()
    assert comments(after) == comments(before)
    keys = [re.findall(r"^ *(\w+):", text, re.MULTILINE) for text in (before, after)]
    assert keys[0] == keys[1]
    same = set(before.splitlines()) & set(after.splitlines())
    assert len(same) > 0.7 * len(set(before.splitlines()))
    assert "  epochs: 4 # may be a fraction, such as 9.9\n" in after
    assert "  sha256: null # null only for a local file\n" in after


def test_a_model_of_another_family_replaces_the_section(file):
    assert call(command.main, ROOT / "workflow/presets/wrn22.yaml", "--params", file) is None
    text = file.read_text()
    section = text[text.index("\nmodel:") : text.index("\ntrain:")]
    assert section == "\nmodel:\n  family: wrn\n  depth: 22\n  width: 6\n  block: scaled\n"


def test_a_preset_over_itself_changes_nothing(file):
    preset = ROOT / "workflow/presets/demo.yaml"
    assert call(command.main, preset, "--params", file) is None
    once = file.read_text()
    assert call(command.main, preset, "--params", file) is None
    assert file.read_text() == once


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"train": {"epoks": 3}}, "train.epoks is not a known key"),
        ({"train": {"batch": -3}}, "train.batch = -3"),
        ({"model": {"family": "wrn"}}, "give depth or blocks"),
    ],
)
def test_a_faulty_preset_is_not_written(file, tmp_path, values, words):
    before = file.read_text()
    preset = tmp_path / "bad.yaml"
    preset.write_text(yaml.safe_dump(values))
    assert words in call(command.main, preset, "--params", file)
    assert file.read_text() == before
