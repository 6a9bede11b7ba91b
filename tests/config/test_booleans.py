"""Words that YAML reads as booleans or numbers, where a setting is a number or the name of a class."""

import os
from pathlib import Path

import pytest
import yaml
from conftest import ROOT

from dawn.config.experiment import check, flat, merge, nested, read
from dawn.config.study import Study
from dawn.core.cli import InputError

PRESETS = ("gan", "cycle", "wrn22", "record")


@pytest.mark.parametrize("preset", PRESETS)
def test_no_number_may_be_a_boolean(preset):
    base = merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{preset}.yaml"))
    numbers = 0
    for key, value in flat(check(base).model_dump(mode="json")).items():
        several = value if isinstance(value, list) else [value]
        if not several or not all(type(each) in (int, float) for each in several):
            continue
        numbers += 1
        wrong = [True, *several[1:]] if isinstance(value, list) else True
        with pytest.raises(
            InputError, match=rf"{key.split('.')[-1]} = \[?true.*: (numbers are needed; YAML|input should)"
        ):
            check(merge(base, nested(key, wrong)))
    assert numbers > 20


def test_settings_from_what_is_no_file_are_refused_at_once(tmp_path):
    os.mkfifo(tmp_path / "fifo.yaml")
    for path, kind in ((Path("/dev/zero"), "a device"), (tmp_path / "fifo.yaml", "a FIFO")):
        with pytest.raises(OSError, match=f"{kind}, not a file"):
            read(path)


def test_a_switch_may_be_a_boolean():
    base = read(ROOT / "params.yaml")
    assert check(merge(base, yaml.safe_load("{run: {trace: yes}, data: {skip_broken: off}}"))).run.trace


def test_numbers_of_a_study_are_no_booleans():
    with pytest.raises(ValueError, match="seeds = true: numbers are needed"):
        Study(seeds=True, variants={"a": None, "b": {"train.epochs": 1}})


@pytest.mark.parametrize("names", ["[yes, no]", "[on, off]", "[1, 2]", "[2023-01-01, b]", "[~, b]", "[1.5, b]"])
@pytest.mark.parametrize("key", ["data.classes", "domains.a"])
def test_names_of_classes_that_yaml_reads_as_something_else(names, key):
    values = yaml.load(names, yaml.SafeLoader if "2023" not in names else yaml.BaseLoader)
    settings = merge(read(ROOT / "params.yaml"), nested(key, values))
    if "2023" in names:
        assert check(settings)
        return
    with pytest.raises(InputError, match=rf"{key}.0: .* is what YAML makes of .*; put the name of the class in quotes"):
        check(settings)
