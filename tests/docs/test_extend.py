"""The changes that docs/extend.md shows are applied to a copy of the repository, and the workflow runs with them."""

import json
import re
import subprocess
import sys

import dvc_project
import pytest
import workspace
import yaml
from conftest import ROOT, step
from matplotlib.image import imread

TEXT = (ROOT / "docs/extend.md").read_text()
CHANGE = re.compile(
    r"^`(?P<file>[\w./]+)`(?:, (?P<where>above|below) `(?P<anchor>[^\n]+)`)?:\n\n```\w+\n(?P<code>.*?)```"
    r"|^`(?P<edited>[\w./]+)`: `(?P<old>[^\n]+?)` becomes `(?P<new>[^\n]+)`$",
    re.DOTALL | re.MULTILINE,
)
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))
# In the copy: the experiment with everything that the sections add, its network, and the plan of its study.
USE = """
from pathlib import Path
from dawn.config.experiment import check, merge, read
from dawn.config.plan import plan
from dawn.data.augmentations import active
from dawn.tasks.classify.networks.build import build

values = merge(read(Path("params.yaml")), read(Path("workflow/presets/mine.yaml")))
over = {"model": {"family": "plain", "depth": 4, "width": 8}, "train": {"augment": {"grey": 0.5}}}
experiment = check(merge(values, over))
net = build(experiment.model, 10, 0)
study = plan(Path("workflow/studies/mine.yaml"), Path("params.yaml"), Path("workflow/presets"), {})
print(experiment.model.title, sum(p.numel() for p in net.parameters()), active(experiment.train.augment))
print(list(study.variants))
"""


def apply(change, root):
    """Apply one change: a new file, lines next to a line, or a replaced expression."""
    path = root / (change["file"] or change["edited"])
    if change["edited"]:
        text = path.read_text()
        assert change["old"] in text, f"{path.name} has no {change['old']!r}"
        path.write_text(text.replace(change["old"], change["new"], 1))
    elif change["where"] is None:
        assert not path.exists()
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(change["code"])
    else:
        lines = path.read_text().splitlines(keepends=True)
        place = next(i for i, line in enumerate(lines) if change["anchor"] in line)
        lines.insert(place + (change["where"] == "below"), change["code"])
        path.write_text("".join(lines))


def extended(folder, *sections):
    """Return a copy of the repository with the changes of the sections, and their number."""
    place = workspace.make(folder)
    changes = [change for section in sections for change in CHANGE.finditer(SECTIONS[section])]
    for change in changes:
        apply(change, place.path)
    return place, len(changes)


def test_every_change_is_recognized():
    assert set(SECTIONS) == {"A preset", "A study", "A network", "An augmentation", "A measure", "A figure", "A task"}
    named = re.findall(r"^`(?:workflow/|docs/|params)", TEXT, re.MULTILINE)
    assert sum(1 for _ in CHANGE.finditer(TEXT)) == len(named)


def test_all_extensions_together_are_accepted_and_well_formed(tmp_path):
    place, _ = extended(tmp_path, *SECTIONS)
    used = subprocess.run(
        [sys.executable, "-c", USE], cwd=place.path, env=workspace.environment() | path(place), text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert used.returncode == 0, used.stderr
    parameters = 3 * 9 * 8 + 3 * 8 * 9 * 8 + 4 * 2 * 8 + 8 * 10 + 10
    assert used.stdout == f"plain 4 x 8 {parameters} ['grey']\n['alternating', 'random', 'none']\n"
    lint = [
        workspace.BIN / "ruff",
        "check",
        "--quiet",
        "workflow/dawn",
    ]
    assert subprocess.run(lint, cwd=place.path, check=False).returncode == 0


@pytest.mark.full
def test_a_preset(tmp_path):
    place, changes = extended(tmp_path, "A preset")
    assert changes == 1
    preset = place.path / "workflow/presets/mine.yaml"
    done = place.snakemake("-n", "--quiet", "host", "--configfile", str(preset))
    assert done.returncode == 0, done.stderr
    readme = re.search(r"```yaml\n# workflow/presets/mine.yaml: (.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert readme[1] == preset.read_text().removeprefix("# ")


@pytest.mark.full
def test_a_study(tmp_path):
    place, changes = extended(tmp_path, "A study")
    assert changes == 1
    plan = place.snakemake("study", "-n", "--quiet", "host", "study=mine")
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"^train +15$", plan.stdout + plan.stderr, re.MULTILINE)
    run = place.snakemake("results/studies/mine/none/seed-0/metrics.json", "study=mine")
    assert run.returncode == 0, run.stderr
    assert "flip: none" in (place.path / "results/studies/mine/none/params.yaml").read_text()


@pytest.mark.full
def test_a_network(tmp_path):
    place, changes = extended(tmp_path, "A network")
    assert changes == 2  # files, both new
    setting = re.search(r"`snakemake --config '(.+?)'`", SECTIONS["A network"])[1]
    params = place.path / "params.yaml"  # merged here, because --config of one key replaces that of the workspace
    data = f"data={{urls: [{place.archive}], sha256: null, bytes: null, layout: binary, classes: null}}"
    small = ["train.epochs=1", "train.batch=32", data, setting]
    done = step(
        "params", "--base", params, *[f"--set={one}" for one in small], "--out", params, cwd=ROOT, env=path(place)
    )
    assert done.returncode == 0, done.stderr
    assert snakemake(place, "all", "results/plots/filters.png").returncode == 0
    assert '"model": "plain 4 x 8"' in (place.path / "results/seed-0/dawnbench.json").read_text()
    assert "did you mean depth?" in snakemake(place, "-n", "--config", "model={depht: 4}").stdout


@pytest.mark.full
def test_a_measure_and_a_figure(tmp_path):
    place, changes = extended(tmp_path, "A measure", "A figure")
    assert changes == 2 + 4
    setting = "train={epochs: 1, batch: 32, schedule: {peak: 0.1}}"
    done = place.snakemake("results/plots/seeds.png", "results/summary.md", setting)
    assert done.returncode == 0, done.stderr
    metrics = json.loads((place.path / "results/metrics.json").read_text())
    assert 0 <= metrics["worst_recall"]["mean"] <= metrics["accuracy"]["mean"]
    assert "| test recall of the worst class, % |" in (place.path / "results/summary.md").read_text()
    assert imread(place.path / "results/plots/seeds.png").shape[1] > 300


NEW_FILES = 5  # of a task; besides, a line of the registry, a section of params.yaml and a row of the documentation


@pytest.mark.full
def test_a_task(tmp_path):
    """A fourth task in a clone: trained, resumed, evaluated, summarized, drawn, compared in a study, tracked by DVC."""
    place, changes = extended(tmp_path, "A task")
    assert changes == NEW_FILES + 3
    done = place.snakemake("plots", "results/measurement.json", "task=colour", "seeds=3")
    assert done.returncode == 0, done.stderr
    metrics = json.loads((place.path / "results/metrics.json").read_text())
    assert 0 < metrics["distance"]["mean"] < 60
    page = (place.path / "results/summary.md").read_text()
    assert page.startswith("# Distance from the test colour")
    assert "![" in page
    assert imread(place.path / "results/plots/colour.png").shape[1] > 300
    study = place.path / "workflow/studies/rates.yaml"
    study.write_text(yaml.safe_dump({
        "question": "Which rate?", "seeds": 3, "difference": 1, "settings": {"task": "colour"},
        "variants": {"slow": {"colour": {"lr": 0.01}}, "fast": {"colour": {"lr": 0.2}}},
    }))  # fmt: skip
    done = place.snakemake("study", "study=rates")
    assert done.returncode == 0, done.stderr
    assert "fast" in (place.path / "results/studies/rates/table.md").read_text()


@pytest.mark.full
def test_a_task_in_dvc(tmp_path):
    place, _ = extended(tmp_path, "A task")
    workspace.write_params(place, "task=colour", "seeds=[0, 1]")
    assert step("dvc_stages", place.path / "dvc.yaml", env=path(place)).returncode == 0
    project = dvc_project.adopt(place)
    assert project.exp("-n", "first") == ["prepare", "train@0", "train@1", "evaluate@0", "evaluate@1", "summarize"]
    assert project.exp("-S", "colour.lr=0.2") == ["train@0", "train@1", "evaluate@0", "evaluate@1", "summarize"]
    assert "distance.mean" in project.dvc("exp", "show", "--csv")


def path(place):
    """The environment in which a command runs the code of the copy."""
    return {"PYTHONPATH": str(place.path / "workflow")}


def snakemake(place, *line):
    return subprocess.run(
        [workspace.BIN / "snakemake", *line], cwd=place.path, env=workspace.environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.full
def test_an_augmentation(tmp_path):
    place, changes = extended(tmp_path, "An augmentation")
    assert changes == 3
    setting = "train={epochs: 1, batch: 32, schedule: {peak: 0.1}, augment: {grey: 1}}"
    target = "results/plots/images.png"
    assert place.snakemake(target, "results/seed-0/metrics.json", setting).returncode == 0
    grey = imread(place.path / target)[:, :, :3]
    assert place.snakemake(target, setting.replace("grey: 1", "grey: 0")).returncode == 0
    coloured = imread(place.path / target)[:, :, :3]
    assert saturation(grey) < 0.8 * saturation(coloured)


def saturation(pixels):
    return (pixels.max(2) - pixels.min(2)).mean()
