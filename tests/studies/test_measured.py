"""The raw rows of a study as a measurement."""

import pytest
from archives import call
from study_files import finished, finished_gan

from dawn import measurement as command
from dawn import study as study_command
from dawn.core.files import write_json
from dawn.core.reading import read_json
from dawn.results import measurement
from dawn.results.provenance import CHECKOUT, collect

ABOUT = {
    "name": "wide", "question": "Is a wider network better?", "variants": {"a": "narrow (4)", "b": "wide_8 & more"},
    "seeds": [0, 1, 2], "analyses": [3], "measure": "accuracy", "difference": 0.2, "test": "holm",
    "comparisons": [{"name": "wide_8 & more", "base": "narrow (4)", "weights": {"a": -1.0, "b": 1.0}}],
}  # fmt: skip
VALUES = {"a": {0: 93.0, 1: 93.1, 2: 92.9}, "b": {0: 93.6, 1: 93.75, 2: 93.4}}


@pytest.fixture
def study(tmp_path):
    folder = tmp_path / "study"  # next to it is the history
    write_json(folder / "study.json", ABOUT)
    origin = collect(CHECKOUT)
    for slug, width in (("a", 4), ("b", 8)):
        finished(folder / slug, VALUES[slug], model={"width": width})
        write_json(folder / slug / "provenance.json", origin | {"data": {"sha256": "0" * 64}})
    return folder


@pytest.mark.parametrize("main", [command.main, study_command.main])
def test_every_seed_of_every_variant_is_a_row(study, main):
    path = study / "rows.json"
    assert call(main, study, "--measurement", path) is None
    found = measurement.read(path)
    assert found.what == "study wide"
    assert [(row.variant, row.seed, row.values["accuracy"]) for row in found.rows] == [
        (ABOUT["variants"][slug], seed, value) for slug, values in VALUES.items() for seed, value in values.items()
    ]
    row = found.rows[0]
    assert (row.first_step, row.resumed) == (0, 0)
    assert (row.values["train_loss"], row.values["seconds_to_target"], row.values["seconds"]) == (1.0, 10.0, 10.0)


def test_variants_of_other_code_are_not_one_measurement(study):
    path = study / "b/provenance.json"
    origin = read_json(path)
    write_json(path, origin | {"code": origin["code"] | {"commit": "0" * 40}})
    refusal = call(command.main, study, "--measurement", study / "rows.json")
    assert "narrow (4) and wide_8 & more were not run with the same code" in refusal
    path.unlink()
    assert "wide_8 & more has no provenance.json" in call(command.main, study, "--measurement", study / "rows.json")
    assert not (study / "rows.json").exists()


def test_the_rows_of_a_gan_have_its_measures(tmp_path):
    folder = finished_gan(tmp_path / "results", {0: 0.25, 1: 0.5})
    write_json(folder / "provenance.json", collect(CHECKOUT) | {"data": {"sha256": "0" * 64}})
    assert call(command.main, folder, "--measurement", tmp_path / "rows.json") is None
    rows = measurement.read(tmp_path / "rows.json").rows
    assert [row.values["kid"] for row in rows] == [0.25, 0.5]
    assert [row.values["coverage"] for row in rows] == [0.25, 0.0]
    assert [row.values["seconds"] for row in rows] == [225.0, 351.0]
