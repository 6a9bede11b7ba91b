"""Every command in the README and on the page about figures is one that works, and every link leads somewhere."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import workspace
from conftest import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "containers").glob("*.md"))]
MADE = {
    "workflow/presets/mine.yaml",
    "workflow/presets/photos.yaml",
    "workflow/studies/mine.yaml",
    "workflow/studies/NAME.yaml",
    "workflow/dawn/config/networks/plain.py",
    "workflow/dawn/models/plain.py",
}  # by those who follow the pages


def commands(*pages):
    """What the pages tell to type: the lines of their sh blocks, and those after a $ in the others."""
    for page in pages:
        for kind, block in re.findall(r"```(sh|console)\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if kind == "sh" or line.startswith("$ "):
                    yield line.removeprefix("$ ").split("  #")[0].strip()


COMMANDS = [
    c
    for c in commands(ROOT / "README.md", ROOT / "docs/report.md")
    if not c.startswith(("dvc", "git", "python -m dawn.p"))
]
# Each once, whether it is to plan or to do; a comparison needs results, and tests/test_compare*.py has them.
PLANS = {tuple(w for w in shlex.split(c)[1:] if w != "-n") for c in commands(*PAGES) if c.startswith("snakemake")}
PLANS = sorted(plan for plan in PLANS if "compare" not in plan and not MADE & set(plan))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace.make(tmp_path_factory.mktemp("readme"))


def test_make_knows_its_targets():
    wanted = [command for command in COMMANDS if command.startswith("make ")]
    assert wanted[:2] == ["make demo", "make test"]
    for command in wanted:
        subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The environment with an Apptainer, whose version Snakemake asks for even to plan; else with a stand-in."""
    env, folder = workspace.environment(), tmp_path_factory.mktemp("engines")
    if shutil.which("apptainer"):
        return env
    (folder / "apptainer").write_text("#!/bin/sh\necho apptainer version 1.4.5\n")
    (folder / "apptainer").chmod(0o755)
    return env | {"PATH": f"{folder}{os.pathsep}{env['PATH']}"}


@pytest.mark.parametrize("plan", PLANS, ids=" ".join)
def test_snakemake_plans_what_a_page_asks(place, engines, plan):
    done = subprocess.run(
        [workspace.BIN / "snakemake", "-n", *plan], cwd=place.path, capture_output=True, text=True,
        env=engines, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b(train|lr_find|race_seeds|doctor|stats)\b", done.stdout + done.stderr)


@pytest.mark.full
def test_the_steps_run_alone_as_the_readme_says(place, tmp_path):
    steps = [c for c in COMMANDS if c.startswith(("python -m dawn", "torchrun"))]
    assert len(steps) == 4
    settings = tmp_path / "params.yaml"
    overs = ["--set=model={family: darknet, blocks: [1], width: 4}", "--set=train.epochs=1", "--set=train.batch=32"]
    base = ["--base", ROOT / "params.yaml", "--set=data.classes=null", "--out", settings]
    run(["python", "-m", "dawn.params", *base, *overs], tmp_path)
    for command in steps:
        command = command.replace("cifar10.tgz --layout folders", f"{place.archive} --layout binary")
        run(shlex.split(command.replace("--nproc-per-node 8", "--nproc-per-node 2")), tmp_path)
    assert (tmp_path / "results/seed-0/model.safetensors").exists()


def run(line, folder):
    programs = {"python": [sys.executable], "torchrun": [sys.executable, "-m", "torch.distributed.run"]}
    done = subprocess.run(
        [*programs[line[0]], *line[1:]],
        cwd=folder,
        capture_output=True,
        text=True,
        env=workspace.environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_no_command_is_left_out():
    tested = ("make ", "snakemake", "python -m dawn", "torchrun")
    assert [c for c in COMMANDS if not c.startswith(tested)] == ["source .venv/bin/activate"]


def anchors(path):
    """The names that a page's headings can be linked by, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", re.sub(r"```.*?```", "", path.read_text(), flags=re.DOTALL), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page):
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text()):
        path, _, anchor = target.partition("#")
        if target.startswith("http"):
            continue
        found = (page.parent / path) if path else page
        assert found.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors(found), f"{page.name}: {target}"
    for name in re.findall(r"`((?:workflow|profiles|containers|tests|docs)/[\w./-]*)`", page.read_text()):
        assert (ROOT / name).exists() or name in MADE, f"{page.name}: {name}"


def test_a_dead_anchor_is_seen(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# One cycle, *exactly*\n```sh\n# no heading\n```\n## It's two\n")
    assert anchors(page) == {"one-cycle-exactly", "its-two"}
