"""The settings on the page: how an experiment differs from the nearest that is known."""

import subprocess

import yaml
from conftest import ROOT, experiment

from dawn.config.experiment import check, merge, read
from dawn.report.page import Bullets, Heading, Table
from dawn.report.settings import differences, known
from dawn.report.settings import experiment as blocks


def test_differences_are_the_leaves_that_differ():
    assert differences(experiment(), experiment()) == []
    changed = experiment(train={"epochs": 7, "schedule": {"peak": 0.2}}, run={"save_every": 9})
    assert differences(experiment(), changed) == [("train.epochs", 2, 7), ("train.schedule.peak", 0.1, 0.2)]
    other = differences(experiment(), experiment(model={"family": "wrn", "depth": 16, "width": 2}))
    assert ("model.family", "darknet", "wrn") in other
    assert ("model.slope", 0.1, None) in other


def test_an_experiment_is_shown_by_the_nearest_that_is_known():
    base = read(ROOT / "params.yaml")
    demo = merge(base, read(ROOT / "workflow/presets/demo.yaml"))
    assert "params.yaml" in next(iter(known(ROOT)))
    heading, items = blocks(check(demo), ROOT)
    assert (heading, items.items[0]) == (Heading("Experiment"), "the preset demo, unchanged")
    epochs = check(demo).train.epochs
    _, items, table = blocks(check(merge(demo, {"train": {"epochs": epochs + 1}})), ROOT)
    assert items == Bullets(["the preset demo, except for:", items.items[1]])
    rows = [("train.epochs", f"{epochs:g}", f"{epochs + 1:g}")]
    assert table == Table(("setting", "the preset demo", "this run"), rows)


def test_known_is_what_git_has_where_there_is_git(tmp_path):
    (tmp_path / "workflow/presets").mkdir(parents=True)
    text = yaml.safe_dump(experiment().model_dump(mode="json"))
    (tmp_path / "params.yaml").write_text(text)
    assert list(known(tmp_path)) == ["params.yaml"]
    for line in (["init", "-q"], ["add", "."], ["-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "-qm", "x"]):
        subprocess.run(["git", *line], cwd=tmp_path, check=True)
    (tmp_path / "params.yaml").write_text(text.replace("epochs: 2", "epochs: 9"))
    (name, found), *_ = known(tmp_path).items()
    assert name.startswith("params.yaml at ")
    assert found.train.epochs == 2


def test_an_invalid_params_file_has_nothing_to_compare_with(tmp_path):
    (tmp_path / "params.yaml").write_text("seeds: none\n")
    reason = "params.yaml and the presets have no valid experiment of task classify"
    assert blocks(experiment(), tmp_path)[1] == Bullets([f"nothing to compare it with: {reason}"])


def test_an_experiment_is_compared_with_those_of_its_task(tmp_path):
    (tmp_path / "workflow/presets").mkdir(parents=True)
    values = experiment().model_dump(mode="json")
    (tmp_path / "params.yaml").write_text(yaml.safe_dump(merge(values, {"train": {"epochs": 9, "batch": 8}})))
    for task in ("cycle", "gan"):  # which differ from the experiment in nothing else
        preset = {"task": task, "train": {"epochs": values["train"]["epochs"], "batch": values["train"]["batch"]}}
        (tmp_path / f"workflow/presets/{task}.yaml").write_text(yaml.safe_dump(preset))
    _, items, table = blocks(experiment(), tmp_path)
    assert items.items[0] == "params.yaml, except for:"
    assert {row[0] for row in table.rows} == {"train.epochs", "train.batch"}
