"""An edit to code or settings is a reason for exactly what it decides: for Snakemake, DVC and the resume key alike."""

import os
import shutil
from contextlib import contextmanager

import dvc_project
import pytest
from conftest import experiment, in_full

from dawn.config.sections import Run
from dawn.core import code_deps
from dawn.engine import checkpoint

AFTER_TRAINING = {"evaluate", "summarize", "summary", "all"}
ON_TRAINING = AFTER_TRAINING | {"train", "dawnbench", "provenance"}
FAMILIES = "tasks/classify/networks"
TRAIN, EVALUATE = {"train@0", "train@1"}, {"evaluate@0", "evaluate@1"}


@pytest.fixture(scope="module")
def project(copied):
    """The finished run as a DVC project in which nothing is out of date."""
    return dvc_project.adopt(copied)


def key(place):
    """The name of a training's checkpoints under the code of a checkout."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(code_deps, "HERE", place.path / "workflow/dawn")
        return checkpoint.training_key(experiment(), place.path / "data", place.path / "data/stats.json", "cpu")


@contextmanager
def edited(place, *modules):
    """A line more in each of these modules, until the block ends."""
    texts = {(path := place.path / "workflow/dawn" / module): path.read_text() for module in modules}
    try:
        for path, text in texts.items():
            path.write_text(text + "\n# edited\n")
        yield
    finally:
        for path, text in texts.items():
            path.write_text(text)


@pytest.mark.parametrize(
    ("module", "rules", "stages", "resumable"),
    [
        ("engine/trainer.py", ON_TRAINING, TRAIN, False),
        ("tasks/classify/inference.py", AFTER_TRAINING, EVALUATE, True),
        *in_full(
            ("tasks/classify/muon.py", set(), TRAIN, True),
            ("data/augment.py", ON_TRAINING, TRAIN | EVALUATE, False),
            ("runtime/clock.py", ON_TRAINING, TRAIN | EVALUATE, False),
            (f"{FAMILIES}/darknet/network.py", ON_TRAINING | {"model"}, TRAIN | EVALUATE | {"summarize"}, False),
            ("results/statistics.py", {"summarize", "summary", "all"}, {"summarize"}, True),
            ("data/archive/tar.py", {"arrays", "stats", "model"} | ON_TRAINING, {"prepare"}, True),
        ),
    ],
)
def test_an_edit_runs_what_it_decides(copied, project, module, rules, stages, resumable):
    before = key(copied)
    with edited(copied, module):
        assert copied.planned() == rules
        assert project.changed() == stages
        assert (key(copied) == before) == resumable


OF_OTHERS = (
    f"{FAMILIES}/wrn/network.py", "tasks/gan/settings.py", "tasks/gan/train.py", "tasks/cycle/settings.py",
    "monitoring/progress.py", "monitoring/run_metrics.py",
)  # fmt: skip


def test_touching_code_and_editing_what_decides_nothing_here_runs_nothing(copied, project):
    before = key(copied)
    for path in (copied.path / "workflow/dawn").rglob("*.py"):
        os.utime(path)
    with edited(copied, *OF_OTHERS):
        assert copied.planned() == set()
        assert project.changed() == set()
        assert key(copied) == before


@pytest.mark.parametrize(
    ("setting", "rules"),
    [
        ("evaluate={tta: mirror}", AFTER_TRAINING),
        *in_full(
            ("run={save_every: 5}", set()),
            ("lr_find={steps: 20}", set()),
            ("model={blocks: [1], width: 4}", {"model"} | ON_TRAINING),
            ("submission={author: me}", {"dawnbench", "all"}),
            ("seeds=[0, 1, 2]", {"model", "provenance"} | ON_TRAINING),
        ),
    ],
)
def test_a_setting_runs_what_it_decides(copied, setting, rules):
    assert copied.planned(setting) == rules


RUN_SETTINGS = {
    "processes": "1", "nodes": "2", "gpus": "0", "require_gpu": "false", "timeout": "5", "interface": "lo",
    "port": "29500", "save_every": "2", "trace": "true", "tensorboard": "true",
}  # fmt: skip


def test_every_setting_of_run_is_tried():
    assert RUN_SETTINGS.keys() == Run.model_fields.keys()


@pytest.mark.parametrize("key", ["trace", *in_full(*(key for key in RUN_SETTINGS if key != "trace"))])
def test_no_setting_of_run_hides_a_cause_or_is_one(copied, key):
    """A rule with outputs that come and go has no record for them, so Snakemake would miss a changed cause."""
    setting = f"run={{{key}: {RUN_SETTINGS[key]}}}"
    assert copied.planned(setting) == set()
    changed = "train={epochs: 2, batch: 32, schedule: {peak: 0.2}}"
    assert copied.planned(setting, changed) == ON_TRAINING


@pytest.mark.parametrize(
    ("path", "text", "line", "said"),
    [
        ("results/made-from.json", "[]", ["train={epochs: 1}"], "the value is '[]': it should be a valid dictionary"),
        ("data/dataset.json", "{}", ["-n", "study", "study=demo"], "counts is missing"),
        *in_full(
            ("results/made-from.json", '{"configfiles": 5}', ["train={epochs: 1}"], "it should be a valid string"),
            ("results/manifests/0.json", "[]", ["train={epochs: 1}"], "the value is '[]'"),
            ("results/manifests/0.json", '{"choices": {"data": 5}}', ["train={epochs: 1}"], "choices.data is '5'"),
        ),
    ],
)
def test_a_file_that_was_edited_is_one_line_before_any_job(copied, path, text, line, said):
    before = (copied.path / path).read_bytes()
    (copied.path / path).write_text(text)
    try:
        done = copied.snakemake(*line)
    finally:
        (copied.path / path).write_bytes(before)
    assert done.returncode == 1
    printed = done.stdout + done.stderr  # the former has what a dry run says
    (named,) = [words for words in printed.splitlines() if words.startswith(f"{path}: ")]
    assert said in named and named.endswith("delete it to have it made again")
    assert "Train" not in printed


def test_other_images_do_not_replace_a_finished_experiment(copied):
    kept = [copied.path / "results/seed-0/model.safetensors", copied.path / "results/params.yaml"]
    before, other = [path.read_bytes() for path in kept], copied.path.parent / "elsewhere" / copied.archive.name
    other.parent.mkdir()  # settings have the name alone, which is the same
    shutil.copy(copied.archive, other)
    setting = f"data={{urls: [{other}], sha256: null, bytes: null, layout: binary, classes: null, holdout: 20}}"
    done = copied.snakemake(setting)
    assert done.returncode == 1
    assert "results has a finished experiment on other images" in done.stderr
    assert [path.read_bytes() for path in kept] == before
    assert copied.planned(setting, "app") == {"app"}  # it uses what is there
    assert copied.planned() == set()
