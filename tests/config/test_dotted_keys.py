"""Settings by dotted keys, and keys that miss their section."""

import subprocess
import sys

import pytest
from conftest import ROOT, experiment, in_full

from dawn.config.experiment import expanded
from dawn.core.cli import InputError


@pytest.mark.parametrize(
    ("values", "nested"),
    [
        ({"train.epochs": 3}, {"train": {"epochs": 3}}),
        ({"train": {"schedule.peak": 1, "epochs": 2}}, {"train": {"schedule": {"peak": 1}, "epochs": 2}}),
        (
            {"model.width": 8, "model": {"family": "wrn"}, "model.blocks": 1},
            {"model": {"width": 8, "family": "wrn", "blocks": 1}},
        ),
        ({"seeds": [1], "data": {"urls": ["a.b"]}}, {"seeds": [1], "data": {"urls": ["a.b"]}}),
        ({"model": {"arguments": {}}}, {"model": {"arguments": {}}}),
    ],
)
def test_dotted_keys_are_nested(values, nested):
    assert expanded(values) == nested


@pytest.mark.parametrize(
    "values", [{"train.epochs": 3, "train": {"epochs": 4}}, {"train": {"epochs": 4}, "train.epochs": 3}]
)
def test_a_setting_by_both_notations_is_refused(values):
    with pytest.raises(InputError, match=r"train\.epochs is given twice, by a dotted key and in its section"):
        expanded(values)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"epochs": 3}, "epochs is not a section; did you mean train.epochs or gan.epochs or cycle.epochs? allowed: "),
        ({"peak": 3}, "peak is not a section; did you mean train.schedule.peak? "),
        ({"train": {"pad": 3}}, "train.pad is not a known key; did you mean train.augment.pad? "),
        ({"trian": {"pad": 3}}, "trian is not a known key; did you mean train? "),
        ({"train.epochs": 3}, "train.epochs is not a known key; write train: {epochs: ...}"),
        (
            {"train": {"schedule.peak": 3}},
            "train.schedule.peak is not a known key; write train: {schedule: {peak: ...}}",
        ),
    ],
)
def test_a_key_outside_its_section_is_answered_with_its_place(over, words):
    with pytest.raises(InputError) as refusal:
        experiment(**over)
    assert words in str(refusal.value)


@pytest.mark.parametrize(
    ("text", "setting", "words"),
    [
        ("train.epochs: 3\n", "train={epochs: 4}", "train.epochs is given twice"),
        ("seeds: 1\n", "epochs=3", "epochs is not a section; did you mean train.epochs"),
        *in_full(
            ("train.epochs: -3\n", "seeds=1", "train.epochs = -3: "),
            ("seeds: 1\n", "train={schedule.peak: -1}", 'train.schedule.peak = "-1": '),
        ),
    ],
)
def test_snakemake_takes_dotted_keys(tmp_path, text, setting, words):
    (tmp_path / "c.yaml").write_text(text)
    line = [sys.executable, "-m", "snakemake", "-n", "-s", ROOT / "Snakefile", "-d", tmp_path, "--configfile", "c.yaml"]
    done = subprocess.run([*line, "--config", setting], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr and "Traceback" not in done.stdout + done.stderr


def test_the_troubleshooting_has_what_snakemake_says_of_a_dotted_key_on_the_command_line(tmp_path):
    line = [sys.executable, "-m", "snakemake", "-n", "-s", ROOT / "Snakefile", "-d", tmp_path]
    done = subprocess.run([*line, "--config", "train.epochs=3"], capture_output=True, text=True, check=False)
    said = "Config entry must start with a valid identifier"
    assert said in done.stdout + done.stderr
    assert (
        f"| `{said}` | `--config` takes no dotted keys: `--config 'train={{epochs: 3}}'`"
        in (ROOT / "README.md").read_text()
    )
