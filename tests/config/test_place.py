"""The names of experiments, and which targets use finished ones."""

from pathlib import Path

import pytest
from conftest import ROOT

from dawn.config import place
from dawn.core.cli import InputError

PARAMS = ROOT / "params.yaml"


@pytest.mark.parametrize(
    ("chosen", "files", "name"),
    [
        (None, [], ""),
        (None, [PARAMS], ""),
        (None, [Path("workflow/presets/photos.yaml")], "photos"),
        (None, [Path("a/my photos (1).yaml")], "my-photos-1"),
        (None, [Path("a/photos.yaml"), PARAMS, Path("b/wgan.yml")], "photos+wgan"),
        (None, [Path("photos.v2.yaml")], "photos.v2"),
        ("mine", [Path("a/photos.yaml")], "mine"),
        ("photos+wgan", [], "photos+wgan"),
        ("2", [], "2"),
    ],
)
def test_an_experiment_has_the_name_of_its_files(chosen, files, name):
    assert place.name_of(chosen, files, PARAMS) == name


@pytest.mark.parametrize(
    "chosen", ["", "..", "../photos", "a/b", "a b", "a{b}", ".hidden", "+a", "a+", "-a", "x" * 101, "é"]
)
def test_a_name_that_is_none_of_a_directory_is_refused(chosen):
    with pytest.raises(InputError, match=r"cannot name a directory of results; .* --config name=NAME"):
        place.name_of(chosen, [], PARAMS)


def test_a_file_whose_name_has_no_letters_needs_a_name():
    with pytest.raises(InputError, match=r"写真\.yaml: cannot name a directory"):
        place.name_of(None, [Path("写真.yaml")], PARAMS)
    assert place.name_of("photos", [Path("写真.yaml")], PARAMS) == "photos"


@pytest.mark.parametrize(
    ("targets", "uses"),
    [
        ([], False),
        (["all"], False),
        (["app"], True),
        (["crate", "plots", "model_card"], True),
        (["results/model-card.md", "results/studies/demo/a/crate.zip"], True),
        (["plots", "results/lr_find.png"], False),
        (["race"], False),
    ],
)
def test_a_target_that_uses_a_network_is_known(targets, uses):
    assert place.only_uses(targets) == uses
    assert place.any_use(["snakemake", *targets]) == any(place.only_uses([target]) for target in targets)


def test_a_command_names_its_experiment():
    assert place.command("", "") == "snakemake"
    assert place.command("app", "photos") == "snakemake app --config name=photos"
    line = place.command("study", "photos", ["x/photos.yaml"], ["study=demo"])
    assert line == "snakemake study --configfile x/photos.yaml --config study=demo"
    assert place.command("", "", ["a b.yaml"], place="/x") == "snakemake --directory /x --configfile 'a b.yaml'"
    assert place.command("study", "", [], ["study=demo"]) == "snakemake study --config study=demo"
