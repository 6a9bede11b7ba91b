"""docs/compare.md shows a session; its commands run here, on fewer images, and must say the same things."""

import re

import dvc_project
import pytest
import workspace
from conftest import ROOT

PAGE = (ROOT / "docs/compare.md").read_text()
SESSION = [
    (command, [line for line in output.splitlines() if line.strip() and line != "..."])
    for block in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL)
    for command, output in re.findall(r"^\$ (.+)\n((?:(?!\$ ).*\n)*)", block, re.MULTILINE)
]


def words(line):
    """A line less what may differ from run to run: numbers, rules, the width of columns."""
    return " ".join(re.sub(r"\b[0-9a-f]{7}\b|-?\d[\d.,e+-]*|-{2,}", "#", line).split())


@pytest.mark.full
def test_the_session_is_true(tmp_path):
    path = workspace.make(tmp_path).path
    project = dvc_project.Project(path)
    rule = path / "workflow/rules/data.smk"
    rule.write_text(rule.read_text().replace("--out {output}", "--out {output} --train 600 --test 200", 1))
    preset = path / "workflow/presets/demo.yaml"
    preset.write_text(preset.read_text().replace("target: 90", "target: 5"))
    project.git("init", "--quiet", "--initial-branch", "master")
    project.git("config", "user.name", "A")
    project.git("config", "user.email", "a@example.org")
    project.git("add", "--all")
    project.git("commit", "--quiet", "--message", "dawn")
    assert len(SESSION) > 6
    for command, expected in SESSION:
        output = project.run("bash", "-c", command, PYTHONPATH=str(path / "workflow"))
        found = iter([words(line) for line in output.splitlines()])
        for line in expected:
            assert words(line) in found, f"{command}\n{line}\nis not in, or not in this order in:\n{output}"


def test_the_readme_shows_a_part_of_the_same_session():
    shown = re.findall(r"```console\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
    assert len(shown) == 1
    page = iter(PAGE.splitlines())
    for line in shown[0].splitlines():
        assert line == "..." or line in page, line
