"""docs/extend.md, done: its changes are made in a copy of the checkout, and the workflow runs with them."""

import re
import subprocess

import pytest
import workspace
from conftest import ROOT, step
from matplotlib.image import imread

TEXT = (ROOT / "docs/extend.md").read_text()
CHANGE = re.compile(
    r"^`(?P<file>[\w./]+)`(?:, (?P<where>above|below) `(?P<anchor>[^\n]+?)`)?:\n\n```\w+\n(?P<code>.*?)```"
    r"|^`(?P<edited>[\w./]+)`: `(?P<old>[^\n]+?)` becomes `(?P<new>[^\n]+)`$",
    re.DOTALL | re.MULTILINE,
)
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))


def make(change, root):
    """One change: a new file, lines next to a line, or words in place of others."""
    path = root / (change["file"] or change["edited"])
    if change["edited"]:
        text = path.read_text()
        assert change["old"] in text, f"{path.name} has no {change['old']!r}"
        path.write_text(text.replace(change["old"], change["new"], 1))
    elif change["where"] is None:
        assert not path.exists()
        path.write_text(change["code"])
    else:
        lines = path.read_text().splitlines(keepends=True)
        place = next(i for i, line in enumerate(lines) if change["anchor"] in line)
        lines.insert(place + (change["where"] == "below"), change["code"])
        path.write_text("".join(lines))


def extended(section, folder):
    """A copy of the checkout with the changes of a section; a word a change says how many there were."""
    place = workspace.make(folder)
    changes = list(CHANGE.finditer(SECTIONS[section]))
    for change in changes:
        make(change, place.path)
    return place, len(changes)


def test_no_change_is_overlooked():
    assert set(SECTIONS) == {"A preset", "A study", "A network", "An augmentation"}
    named = re.findall(r"^`workflow", TEXT, re.MULTILINE)
    assert sum(1 for _ in CHANGE.finditer(TEXT)) == len(named)


@pytest.mark.full
def test_a_preset(tmp_path):
    place, changes = extended("A preset", tmp_path)
    assert changes == 1
    preset = place.path / "workflow/presets/mine.yaml"
    done = place.snakemake("-n", "--quiet", "host", "--configfile", str(preset))
    assert done.returncode == 0, done.stderr
    readme = re.search(r"```yaml\n# workflow/presets/mine.yaml: (.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert readme[1] == preset.read_text().removeprefix("# ")


@pytest.mark.full
def test_a_study(tmp_path):
    place, changes = extended("A study", tmp_path)
    assert changes == 1
    plan = place.snakemake("study", "-n", "--quiet", "host", "study=mine")
    assert plan.returncode == 0, plan.stderr
    assert re.search(r"^train +15$", plan.stdout + plan.stderr, re.MULTILINE)
    run = place.snakemake("results/studies/mine/none/seed-0/metrics.json", "study=mine")
    assert run.returncode == 0, run.stderr
    assert "flip: none" in (place.path / "results/studies/mine/none/params.yaml").read_text()


@pytest.mark.full
def test_a_network(tmp_path):
    place, changes = extended("A network", tmp_path)
    assert changes == 6
    setting = re.search(r"`snakemake --config '(.+?)'`", SECTIONS["A network"])[1]
    params = place.path / "params.yaml"  # since Snakemake merges --config of a name, and ours names another family
    data = f"data={{urls: [{place.archive}], sha256: null, bytes: null, layout: binary, classes: null}}"
    small = ["train.epochs=1", "train.batch=32", data, setting]
    done = step(
        "params", "--base", params, *[f"--set={one}" for one in small], "--out", params, cwd=ROOT, env=path(place)
    )
    assert done.returncode == 0, done.stderr
    assert snakemake(place, "all", "results/plots/filters.png").returncode == 0
    assert '"model": "plain 4 x 8"' in (place.path / "results/seed-0/dawnbench.json").read_text()
    assert "did you mean depth?" in snakemake(place, "-n", "--config", "model={depht: 4}").stdout


def path(place):
    """Let a step run the code of the copy."""
    return {"PYTHONPATH": str(place.path / "workflow")}


def snakemake(place, *line):
    return subprocess.run(
        [workspace.BIN / "snakemake", *line], cwd=place.path, env=workspace.environment(), text=True, check=False,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip


@pytest.mark.full
def test_an_augmentation(tmp_path):
    place, changes = extended("An augmentation", tmp_path)
    assert changes == 6
    setting = "train={epochs: 1, batch: 32, schedule: {peak: 0.1}, augment: {grey: 1}}"
    target = "results/plots/images.png"
    assert place.snakemake(target, "results/seed-0/metrics.json", setting).returncode == 0
    grey = imread(place.path / target)[:, :, :3]
    assert place.snakemake(target, setting.replace("grey: 1", "grey: 0")).returncode == 0
    coloured = imread(place.path / target)[:, :, :3]
    assert saturation(grey) < 0.8 * saturation(coloured)


def saturation(pixels):
    return (pixels.max(2) - pixels.min(2)).mean()
