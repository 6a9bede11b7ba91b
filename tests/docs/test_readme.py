"""The commands in the README and the documentation work, and their links lead to existing pages and headings."""

import os
import re
import shlex
import shutil
import subprocess
import sys

import pytest
import workspace
from conftest import ROOT, in_full

README = ROOT / "README.md"
PAGES = [README, *sorted((ROOT / "docs").rglob("*.md")), *sorted((ROOT / "containers").glob("*.md"))]
EXAMPLES = {  # files that a page asks its reader to create
    "workflow/presets/mine.yaml",
    "workflow/presets/photos.yaml",
    "workflow/studies/mine.yaml",
    "workflow/studies/NAME.yaml",
    "workflow/searches/NAME.yaml",
    "workflow/dawn/tasks/classify/networks/plain/settings.py",
    "workflow/dawn/tasks/classify/networks/plain/network.py",
    "workflow/dawn/tasks/classify/captions/seeds.rst",
    *(f"workflow/dawn/tasks/colour/{name}.py" for name in ("__init__", "task", "train", "evaluate", "plot")),
}


def commands(*pages):
    """The commands on the pages: the lines of sh blocks, and in console blocks those after a $."""
    for page in pages:
        for kind, block in re.findall(r"```(sh|console)\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.replace("\\\n", " ").splitlines():
                if kind == "sh" or line.startswith("$ "):
                    yield line.removeprefix("$ ").split("  #")[0].strip()


def plans(*pages):
    """The distinct arguments of snakemake on the pages, without -n; comparisons need results (tests/workflow)."""
    found = {tuple(w for w in shlex.split(c)[1:] if w != "-n") for c in commands(*pages) if c.startswith("snakemake")}
    return sorted(plan for plan in found if "compare" not in plan and not EXAMPLES & set(plan))


UNTRIED = ("dvc", "git", "python -m dawn.preset", "python -m dawn.reproduce")  # other tests run them
COMMANDS = [c for c in commands(README, ROOT / "docs/report.md") if not c.startswith(UNTRIED)]
# One plan of each kind; each starts a snakemake of its own, which takes two seconds.
USE = ("app", "crate", "model_card", "plots")
KINDS = {"app", "study=demo", "profiles/slurm"}
QUICK = [plan for plan in plans(README) if not plan or KINDS & set(plan)]
OTHERS = in_full(*((plan,) for plan in plans(*PAGES) if plan not in QUICK))


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    return workspace.make(tmp_path_factory.mktemp("readme"))


def test_make_has_the_documented_targets():
    targets = [command for command in COMMANDS if command.startswith("make ")]
    assert targets[:2] == ["make demo", "make test"]
    for command in targets:
        subprocess.run([*shlex.split(command), "--dry-run"], cwd=ROOT, check=True, capture_output=True)


@pytest.fixture(scope="module")
def engines(tmp_path_factory):
    """The environment, with a stand-in for Apptainer if it is missing, because Snakemake needs its version to plan."""
    env, folder = workspace.environment(), tmp_path_factory.mktemp("engines")
    if shutil.which("apptainer"):
        return env
    (folder / "apptainer").write_text("#!/bin/sh\necho apptainer version 1.4.5\n")
    (folder / "apptainer").chmod(0o755)
    return env | {"PATH": f"{folder}{os.pathsep}{env['PATH']}"}


@pytest.mark.parametrize("plan", [*QUICK, *OTHERS], ids=" ".join)
def test_a_documented_snakemake_command_has_a_plan(place, engines, plan):
    done = subprocess.run(
        [workspace.BIN / "snakemake", "-n", *plan], cwd=place.path, capture_output=True, text=True,
        env=engines, check=False,
    )  # fmt: skip
    if plan[:1] and plan[0] in USE:  # they train nothing
        assert re.search("results has no trained network|there is no experiment photos", done.stdout + done.stderr)
        return
    assert done.returncode == 0, done.stderr
    assert re.search(r"\b(train|lr_find|race_seeds|doctor|stats)\b", done.stdout + done.stderr)


@pytest.mark.full
def test_the_steps_run_without_snakemake(place, tmp_path):
    steps = [c for c in COMMANDS if c.startswith(("python -m dawn", "torchrun")) and " photo.jpg" not in c]
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
    command = [*programs[line[0]], *line[1:]]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, env=workspace.environment(), check=False)
    assert done.returncode == 0, done.stderr


def test_no_command_is_left_out():
    tested = ("make ", "snakemake", "python -m dawn", "torchrun")
    assert [c for c in COMMANDS if not c.startswith(tested)] == ["source .venv/bin/activate"]


def anchors(path):
    """The anchors of a page's headings, as GitHub makes them."""
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
        assert (ROOT / name).exists() or name in EXAMPLES, f"{page.name}: {name}"


def test_a_missing_anchor_is_found(tmp_path):
    page = tmp_path / "a.md"
    page.write_text("# One cycle, *exactly*\n```sh\n# no heading\n```\n## It's two\n")
    assert anchors(page) == {"one-cycle-exactly", "its-two"}
