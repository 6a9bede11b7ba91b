"""The rules of a GAN and of a classifier side by side: which run for which files, without running them."""

import re
import shutil
import subprocess
from collections import Counter

import pytest
import workspace
import yaml
from conftest import ROOT, experiment, step

from dawn.config.experiment import read
from dawn.config.plan import plan
from dawn.config.presets import judges
from dawn.core.cli import InputError

PARAMS, PRESETS = ROOT / "params.yaml", ROOT / "workflow/presets"
OF_JUDGES = {"train_judge": 3, "evaluate_judge": 3, "references": 1}
OF_DATA = {"download": 1, "arrays": 1, "stats": 1}


def planned(folder, *args):
    """The number of jobs of each rule that Snakemake would run in an empty directory."""
    line = [workspace.BIN / "snakemake", "-n", "--quiet", "host", "--directory", folder, *args]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False, env=workspace.environment())
    assert done.returncode == 0, done.stdout + done.stderr
    jobs = re.findall(r"^(\w+) +(\d+)$", done.stdout + done.stderr, re.MULTILINE)
    return Counter({rule: int(number) for rule, number in jobs if rule != "total"})


def test_a_gan_trains_its_judges_by_the_rules_of_a_classifier(tmp_path):
    found = planned(tmp_path, "all", "crate", "--config", "task=gan", "seeds=[4, 5]", "gan={conditional: true}",
                    "measures={cas: true}")  # fmt: skip
    of_seeds = {"train": 2, "cas": 2, "evaluate": 2}
    once = dict.fromkeys(("all", "model", "summarize", "plot", "summary", "pack", "provenance", "crate"), 1)
    assert found == OF_JUDGES | OF_DATA | of_seeds | once


def test_a_study_of_gans_trains_its_judges_once(tmp_path):
    study = tmp_path / "pair.yaml"
    variants = {"a": {}, "b": {"gan": {"batch": 32}}}
    study.write_text(yaml.safe_dump({"question": "?", "seeds": 2, "difference": 0.1, "variants": variants,
                                     "settings": {"task": "gan"}}))  # fmt: skip
    found = planned(tmp_path, "study", "--config", f"study={study}")
    of_variants = {"train": 4, "evaluate": 4, "summarize": 2, "study_table": 1}
    assert found.items() >= (OF_JUDGES | OF_DATA | of_variants).items()


@pytest.mark.parametrize(
    ("over", "words"),
    [({"task": "classify"}, "variant b changes task, which all variants share"),
     ({"judge": {"seeds": 1}}, "variant b changes judge, which all variants share")],
)  # fmt: skip
def test_variants_share_task_and_judges(tmp_path, over, words):
    study = tmp_path / "mixed.yaml"
    study.write_text(yaml.safe_dump({"question": "?", "settings": {"task": "gan"}, "difference": 0.1,
                                     "variants": {"a": {}, "b": over}}))  # fmt: skip
    with pytest.raises(InputError, match=words):
        plan(study, PARAMS, PRESETS, {})


def test_judges_are_of_their_preset_and_of_the_data_of_the_gan():
    gan = experiment(task="gan", data={"holdout": 30}, train={"epochs": 99}, judge={"seeds": [3, 5]})
    found = judges(gan, PARAMS, PRESETS)
    assert (found.task, found.seeds, found.data) == ("classify", (3, 5), gan.data)
    assert found.train.epochs == read(PRESETS / "judge.yaml")["train"]["epochs"]
    with pytest.raises(InputError, match=r"judge\.preset = none: no such preset; presets: .*judge"):
        judges(experiment(task="gan", judge={"preset": "none"}), PARAMS, PRESETS)


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"measures": {"cas": True}}, r"measures\.cas .*set gan\.conditional to true"),
        ({"gan": {"batch": 30}, "run": {"processes": 4}}, r"gan\.batch 30 is not divisible by 4 processes"),
        ({"gan": {"generator_batch": 30}, "run": {"processes": 4}}, r"gan\.generator_batch 30 is not divisible by 4"),
        ({"judge": {"seeds": [1, 1]}}, "contains a seed twice"),
    ],
)
def test_settings_that_do_not_fit_are_refused_for_a_gan_alone(over, words):
    with pytest.raises(InputError, match=words):
        experiment(task="gan", **over)
    if "judge" not in over:
        experiment(**over | {"run": {}})


@pytest.mark.parametrize(
    ("over", "words"),
    [
        ({"generator_batch": 32, "conditional": True}, "with conditional a step of .* set generator_batch to"),
        ({"generator_batch": 32, "loss": "relativistic"}, "generator_batch 32: with loss relativistic"),
        ({"generator_batch": 32, "share_samples": True}, "generator_batch 32: with share_samples"),
        ({"generator": {"ema": 0.9, "statistics": "running"}}, "of other weights than an average; set ema to"),
        ({"init": "torch0.4"}, r"gan\.init = \"torch0\.4\""),
    ],
)
def test_settings_of_a_gan_that_contradict_each_other_are_refused(over, words):
    with pytest.raises(InputError, match=words):
        experiment(task="gan", gan=over)


def test_a_preset_of_a_gan_changes_the_pipeline_of_dvc_too(tmp_path):
    for name in ("params.yaml", "dvc.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    before = (tmp_path / "dvc.yaml").read_text()
    done = step("preset", PRESETS / "demo-gan.yaml", "--params", tmp_path / "params.yaml")
    assert done.returncode == 0, done.stderr
    stages = yaml.safe_load((tmp_path / "dvc.yaml").read_text())["stages"]
    assert list(stages) == ["prepare", "judge", "references", "train", "evaluate", "summarize"]
    old = yaml.safe_load(before)["stages"]
    assert stages["prepare"]["params"] == old["prepare"]["params"]
    for stage in ("train", "judge"):  # an edit to a GAN is no cause of a classifier
        of = stages if stage == "judge" else yaml.safe_load(before)["stages"]
        assert "gan" not in of[stage]["params"]
        assert not [file for file in of[stage]["deps"] if "/tasks/gan/" in file or "/measures/" in file]
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    assert step("dvc_stages", tmp_path / "dvc.yaml").returncode == 0
    assert (tmp_path / "dvc.yaml").read_text() == before
