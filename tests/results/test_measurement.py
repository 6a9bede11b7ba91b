"""Raw rows: what a measurement must say, what is refused, and the commands that write it."""

import copy
import json
import re
import sys

import pytest
from archives import call
from conftest import ROOT

from dawn import measurement as command
from dawn.core.cli import InputError
from dawn.results import measurement, provenance
from dawn.results.measurement import Row, independent

GOOD = {
    "what": "race", "command": "snakemake race", "commit": "0123456789" * 4, "dirty": False,
    "date": "2026-01-02T03:04:05+00:00",
    "host": {"system": "Linux-6.1-x86_64", "cpu": "A CPU", "features": ["avx2"], "cores": 2, "gpus": [], "image": None},
    "packages": {"python": "3.12.1", "torch": "2.15.0"},
    "rows": [
        {"seed": 0, "first_step": 0, "resumed": 0, "values": {"accuracy": 94.1}},
        {"seed": 1, "first_step": 0, "resumed": 0, "values": {"accuracy": 94}},
    ],
}  # fmt: skip


def changed(path, **over):
    """GOOD with a key of a section, or of a row, replaced or (None) left out."""
    found = copy.deepcopy(GOOD)
    *above, last = path
    place = found
    for part in above:
        place = place[part]
    if "to" in over:
        place[last] = over["to"]
    else:
        del place[last]
    return found


def written(folder, value):
    path = folder / "m.json"
    path.write_text(json.dumps(value))
    return path


def test_a_measurement_is_read(tmp_path):
    found = measurement.read(written(tmp_path, GOOD))
    assert [row.values["accuracy"] for row in found.rows] == [94.1, 94]
    assert found.host.cores == 2
    assert found.date.isoformat() == GOOD["date"]


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (changed(["rows", 1, "seed"]), "rows.1: a row has a seed (of a training) or a repetition (of a benchmark)"),
        (changed(["rows", 0, "first_step"]), "rows.0: first_step is missing"),
        (changed(["rows", 0, "resumed"]), "rows.0: resumed is missing"),
        (changed(["rows", 0, "steps"], to=3), "rows.0.steps is not a known key"),
        (changed(["rows", 1, "seed"], to=0), "seed 0 of variant '' is there twice"),
        (changed(["rows", 1, "seed"], to="1"), 'rows.1.seed = "1": input should be a valid integer'),
        (changed(["rows", 1, "seed"], to=True), "rows.1.seed = true: input should be a valid integer"),
        (changed(["rows", 1, "values", "accuracy"], to="94"), 'accuracy.int = "94"'),
        (changed(["rows", 1, "values"], to={}), "rows.1.values"),
        (changed(["rows", 1, "values"], to={"test accuracy": 1}), "test accuracy"),
        (changed(["rows"], to=[]), "rows"),
        (changed(["rows", 1, "repetition"], to=1), "rows.1: a row has a seed (of a training) or a repetition"),
        (changed(["rows", 1], to={"repetition": 0, "first_step": 0, "values": {"s": 1}}), "first_step = 0"),
        (changed(["commit"], to="abc"), "commit"),
        (changed(["dirty"]), "dirty is missing"),
        (changed(["date"], to="2026-01-02T03:04:05"), "date"),
        (changed(["packages"], to={"torch": "2"}), "packages: python is missing"),
        (changed(["hostname"], to="me"), "hostname is not a known key"),
        (changed(["host", "name"], to="me"), "host.name is not a known key"),
    ],
)  # fmt: skip
def test_what_is_no_measurement_is_refused_in_one_line(tmp_path, value, message):
    with pytest.raises(InputError) as error:
        measurement.read(written(tmp_path, value))
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith(f"{tmp_path}/m.json is not a measurement: ")


def test_text_that_is_no_json_or_holds_nan_is_refused(tmp_path):
    for text in ("{", json.dumps(changed(["rows", 0, "values", "accuracy"], to=float("nan")))):
        (tmp_path / "m.json").write_text(text)
        with pytest.raises(InputError, match="is not a measurement"):
            measurement.read(tmp_path / "m.json")


def test_saved_rows_are_read_again_with_what_they_were_measured_on(tmp_path, monkeypatch):
    monkeypatch.setenv("DAWN_COMMAND", f"/home/me/bin/snakemake race --configfile {ROOT}/workflow/presets/cpu.yaml")
    path = tmp_path / "m.json"
    measurement.save(None, "nothing", [])
    measurement.save(path, "two rows", measurement.repetitions([{"s": 1.5}, {"s": 2}], "a"))
    found = measurement.read(path)
    assert [(row.variant, row.repetition, row.values) for row in found.rows] == [
        ("a", 0, {"s": 1.5}),
        ("a", 1, {"s": 2}),
    ]
    assert found.command == "snakemake race --configfile workflow/presets/cpu.yaml"
    assert found.packages["python"] == sys.version.split()[0]
    assert re.fullmatch("[0-9a-f]{40}", found.commit)
    with pytest.raises(InputError, match="there twice"):
        measurement.save(tmp_path / "other.json", "twice", [found.rows[0], found.rows[0]])
    assert not (tmp_path / "other.json").exists()


def test_a_command_names_no_folder_of_this_machine():
    words = (
        f"--data=/home/me/c10 data={{urls: [file:///srv/c.tgz]}} {ROOT}/params.yaml ../x http://a.b/c/d /tmp/m.json 1/2"
    )
    shown = "--data=c10 data={urls: [file://c.tgz]} params.yaml ../x http://a.b/c/d m.json 1/2"
    assert provenance.public(words) == shown


def test_the_row_of_a_training_has_all_numbers_of_its_metrics():
    metrics = {
        "seed": 3, "resumed": 0, "accuracy": 94.0, "device": "cpu", "joules": None, "seconds": 3.0, "monitored": True,
        "seconds_by_phase": {"whiten": 1.0, "train": 2.0}, "seconds_untimed": {"load": 0.5},
    }  # fmt: skip
    row = measurement.training(metrics, "cpu")
    assert (row.variant, row.seed, row.first_step, row.resumed, row.after_first_step) == ("cpu", 3, 0, 0, None)
    assert row.values == {
        "accuracy": 94.0, "seconds": 3.0, "seconds_whiten": 1.0, "seconds_train": 2.0, "seconds_untimed_load": 0.5,
    }  # fmt: skip
    named = measurement.training(metrics | {"first_step": 224, "resumed": 1, "after_first_step": "abc"})
    assert (named.first_step, named.resumed, named.after_first_step) == (224, 1, "abc")
    with pytest.raises(InputError, match="seed 3 was resumed, and its metrics do not say at which step"):
        measurement.training(metrics | {"resumed": 1})


def test_trainings_that_share_steps_or_their_start_are_not_independent():
    def row(seed, first=0, start=None):
        values = {"a": 1.0}
        return Row(seed=seed, first_step=first, resumed=int(first > 0), after_first_step=start, values=values)

    assert independent([row(0), row(1), row(2)]) == 3
    assert independent([row(0), row(1, 224), row(2, 224)]) == 1
    assert independent([row(0, start="x"), row(1, start="x"), row(2, start="y")]) == 2
    assert independent([row(0, start="x"), row(1, 224, start="x"), row(2, 224, start="x")]) == 1
    assert independent([row(0, start="x"), row(1, 100, start="y")]) == 2, "resumed from its own checkpoint"


def test_a_finished_experiment_is_gathered(finished, tmp_path):
    path = tmp_path / "m.json"
    assert call(command.main, finished.results, "--measurement", path) is None
    found = measurement.read(path)
    for row in found.rows:
        folder = finished.results / f"seed-{row.seed}"
        assert row.values["accuracy"] == json.loads((folder / "evaluation.json").read_text())["accuracy"]
        assert row.values["seconds"] == json.loads((folder / "metrics.json").read_text())["seconds"]
        assert row.first_step == 0
    assert len(found.rows) == len(list(finished.results.glob("seed-*")))
    assert "--measurement is missing" in call(command.main, finished.results)
