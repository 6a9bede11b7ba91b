"""Faulty settings are refused with a message that names the key, its value and what is allowed."""

import math
import subprocess
import sys

import pytest
import yaml
from archives import call
from conftest import ROOT, experiment

from dawn import params
from dawn.config.errors import RENAMED
from dawn.config.experiment import COMPLETE, check, merge, read
from dawn.core.cli import InputError

PRESETS = sorted((ROOT / "workflow/presets").glob("*.yaml"))


@pytest.mark.parametrize("preset", PRESETS, ids=lambda path: path.stem)
def test_every_preset_is_valid_over_the_lesson(preset):
    found = check(merge(read(ROOT / "params.yaml"), read(preset)))
    assert found.data.urls


@pytest.mark.parametrize(
    ("preset", "head", "bias", "decay"),
    [
        ("record", 0.5415, 0.0573, 1.0418e-6),  # hiverge's cifar10-speedrun
        ("airbench-muon", 0.67, 0.053, 2e-6),  # airbench94_muon
        ("cpu", 0.67, 0.053, 2e-6),
        ("cpu95", 0.67, 0.053, 2e-6),
    ],
)
def test_the_learning_rates_are_the_published_ones_for_a_summed_loss(preset, head, bias, decay):
    train = check(merge(read(ROOT / "params.yaml"), read(ROOT / f"workflow/presets/{preset}.yaml"))).train
    rate = train.schedule.peak / train.batch  # of a mean loss over a batch: its gradient is that of the sum / batch
    assert rate == pytest.approx(head, rel=1e-3)
    assert train.bias_lr_multiplier * rate == pytest.approx(bias, rel=1e-3)
    assert train.stem_lr_multiplier * rate == pytest.approx(bias, rel=1e-3)
    assert train.weight_decay * train.schedule.peak == pytest.approx(decay * train.batch, rel=1e-3)


def test_params_yaml_spells_out_every_choice():
    written = read(ROOT / "params.yaml")
    whole = check(written).model_dump(mode="json")

    def missing(written, whole, where=""):
        for key, value in whole.items():
            if key not in written:
                yield where + key
            elif isinstance(value, dict):
                yield from missing(written[key], value, f"{where}{key}.")

    assert list(missing(written, whole)) == []


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"train": {"epoks": 3}}, ["train.epoks", "did you mean epochs", "allowed: accumulate"]),
        ({"model": {"widht": 3}}, ["model.widht", "did you mean width"]),
        ({"nonsense": 1}, ["nonsense", "allowed: cycle, data, domains, evaluate"]),
        ({"train": {"schedule": {"pct": 120}}}, ["train.schedule.pct = 120", "100"]),
        ({"train": {"schedule": {"peak": "fast"}}}, ['train.schedule.peak = "fast"', "number"]),
        ({"train": {"schedule": {"peak": float("nan")}}}, ["train.schedule.peak", "finite"]),
        ({"train": {"schedule": {"momentum": [0.8, 0.9]}}}, ["momentum [0.8, 0.9]"]),
        ({"train": {"schedule": {"milestones": [0.6, 0.3]}}}, ["milestones [0.6, 0.3]", "rise"]),
        ({"train": {"batch": 0}}, ["train.batch = 0"]),
        ({"train": {"accumulate": 3}}, ["batch 16", "accumulate 3"]),
        *[
            ({"train": {"augment": {"pad": 32, "mode": mode}}}, ["train.augment.pad = 32", "32 pixels", "0 to 31"])
            for mode in ("symmetric", "reflect", "zero")
        ],
        ({"train": {"augment": {"cutout": 40}}}, ["train.augment.cutout = 40", "32 pixels", "0 to 31"]),
        ({"train": {"augment": {"pad": 16}, "sizes": [[0, 16], [0.5, 32]]}}, ["pad = 16", "16 pixels", "0 to 15"]),
        ({"train": {"augment": {"pad": 64}}, "data": {"layout": "folders", "size": 64}}, ["pad = 64", "0 to 63"]),
        ({"task": "cycle", "cycle": {"pad": 32}}, ["cycle.pad = 32", "32 pixels", "0 to 31"]),
        ({"run": {"processes": 3}}, ["train.batch 16", "3 processes"]),
        ({"run": {"processes": "all"}}, ['run.processes = "all"']),
        ({"seeds": []}, ["seeds = []"]),
        ({"seeds": 0}, ["0 seeds", "1 to 10000"]),
        ({"seeds": [1, 1]}, ["seeds: [1, 1]", "twice"]),
        ({"seeds": [-1]}, ["-1"]),
        ({"data": {"layout": "zip"}}, ['data.layout = "zip"', "python"]),
        ({"data": {"urls": ["https://x.test/a.tgz"]}}, ["data", "https://x.test/a.tgz needs sha256 or bytes"]),
        ({"data": {"sha256": "abc"}}, ['data.sha256 = "abc"']),
        ({"model": {"family": "alexnet"}}, ['model.family = "alexnet"', "airbench, darknet, file, torchvision, wrn"]),
        ({"model": {"blocks": [1] * 8, "width": 1024}}, ["262144 channels"]),
        ({"model": {"kernels": [1, 2]}}, ["kernels [1, 2]", "odd"]),
        ({"model": {"family": "wrn", "depth": 23}}, ["depth 23", "6N + 4"]),
        ({"model": {"family": "wrn", "depth": 22, "blocks": 3}}, ["not both"]),
        ({"model": {"family": "wrn"}}, ["not neither"]),
        ({"model": {"family": "wrn", "blocks": 1, "ratio": 1}}, ["model.ratio", "allowed: block"]),
        ({"lr_find": {"low": 1, "high": 0.1}}, ["low 1", "high 0.1"]),
        ({"train": 5}, ["train = 5"]),
    ],
)
def test_bad_choices_are_named(over, words):
    with pytest.raises(InputError) as refusal:
        experiment(**over)
    message = str(refusal.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


def test_the_largest_border_that_fits_is_taken():
    assert experiment(train={"augment": {"pad": 31, "cutout": 31}}).train.augment.pad == 31
    assert experiment(train={"augment": {"pad": 40}}, data={"layout": "folders", "size": 64}).data.side == 64
    assert experiment(task="cycle", train={"augment": {"pad": 40}}).train.augment.pad == 40  # not used there


def test_the_record_has_the_published_number_of_steps():
    train = check(merge(read(ROOT / "params.yaml"), read(ROOT / "workflow/presets/record.yaml"))).train
    per_epoch = 50_000 // train.batch
    assert math.ceil(train.epochs * per_epoch) == 245
    assert math.ceil(train.stem_epochs * per_epoch) == 7


@pytest.mark.parametrize("key", RENAMED)
def test_a_former_key_is_answered_with_its_present_name(key):
    *sections, last = key.split(".")
    over = {last: 1}
    for section in reversed(sections):
        over = {section: over}
    with pytest.raises(InputError, match=f"{key} is now called {RENAMED[key]}; rename it"):
        experiment(**over)


@pytest.mark.parametrize("key", RENAMED.values())
def test_a_present_name_is_a_setting(key):
    values = experiment().model_dump()
    for part in key.split("."):
        assert part in values
        values = values[part]


def test_a_former_family_is_answered_with_its_present_name():
    with pytest.raises(InputError, match=r'model\.family = "record" is now called airbench; rename it'):
        experiment(model={"family": "record"})


@pytest.mark.parametrize(
    ("model", "title"),
    [
        ({"family": "wrn", "depth": 22, "width": 6}, "WRN-22-6"),
        ({"family": "wrn", "blocks": 3, "width": 6}, "WRN-22-6"),
        ({"family": "darknet", "blocks": [1, 2], "width": 8}, "Darknet [1, 2] width 8"),
        ({"family": "airbench", "widths": [8, 16]}, "airbench [8, 16]"),
        ({"family": "torchvision", "name": "resnet18"}, "torchvision resnet18"),
    ],
)
def test_a_network_has_a_title(model, title):
    assert experiment(model=model).model.title == title


def test_every_setting_is_documented_in_the_schema():
    schema = COMPLETE.model_json_schema()
    settings = {f"{name}.{key}": about for name, section in schema["$defs"].items()
                for key, about in section["properties"].items() if key != "family"}  # fmt: skip
    assert len(settings) > 90
    assert [key for key, about in settings.items() if "description" not in about] == []


def test_numbers_written_as_strings_count_as_numbers():
    # PyYAML reads 1e-05, which DVC writes for -S train.schedule.peak=1e-5, as a string.
    assert experiment(train={"schedule": {"peak": yaml.safe_load("1e-05")}}).train.schedule.peak == 1e-5


def test_another_family_starts_from_its_own_defaults():
    base = read(ROOT / "params.yaml")
    found = merge(base, {"model": {"family": "torchvision", "name": "resnet18"}})
    assert found["model"] == {"family": "torchvision", "name": "resnet18"}
    assert merge(base, {"model": {"family": "darknet", "width": 8}})["model"]["blocks"] == [1, 2, 4, 6, 3]
    assert base["model"]["family"] == "darknet"


def test_the_same_choices_make_the_same_text_and_others_another():
    assert experiment().text("train") == experiment(evaluate={"tta": "six"}).text("train")
    assert experiment().text("train") != experiment(train={"epochs": 3}).text("train")
    assert experiment().text("run") != experiment(run={"processes": 2}).text("run")


def test_a_file_that_is_no_mapping_is_refused(tmp_path):
    for text in ("[1, 2]", "a: b: c", "\x00"):
        (tmp_path / "p.yaml").write_text(text)
        with pytest.raises(InputError, match=r"p\.yaml"):
            read(tmp_path / "p.yaml")


def test_the_config_costs_no_heavy_import():
    heavy = "torch torchvision pandas matplotlib dvc scipy numpy"
    modules = "dawn.config.experiment, dawn.core.code_deps"
    code = f"import sys, {modules}; print([m for m in {heavy.split()} if m in sys.modules])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "[]"


def test_a_number_of_seeds_is_the_first_so_many():
    assert experiment(seeds=3).seeds == experiment(seeds="3").seeds == (0, 1, 2)
    assert experiment(seeds=[3]).seeds == (3,)


def test_a_full_experiment_runs_here_and_has_no_secret(tmp_path):
    """Before: the archive by its name alone, which is nowhere."""
    here = tmp_path / "my photos.zip"
    urls = f"data.urls=[{here}, 'https://jane:pass-word@photos.example/a.zip?X-Amz-Signature=abc123']"
    out = tmp_path / "full.yaml"
    base = ["--base", ROOT / "params.yaml", "--set", urls, "--set", "data.sha256=null", "--set", "data.bytes=5"]
    assert call(params.main, *base, "--out", out) is None
    written = read(out)
    assert written["data"]["urls"][0] == str(here)
    assert written["data"]["urls"][1].startswith("https://")
    assert not any(secret in out.read_text() for secret in ("pass-word", "abc123"))
    assert check(written).data.sources[0] == str(here)
