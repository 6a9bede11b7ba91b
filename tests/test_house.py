"""The order of the house: imports run downward, files stay small, nothing names a machine."""

import ast
import subprocess
import sys

import pytest
from conftest import ROOT

from dawn.closure import HERE, closure, imports

GROUND = {"cli", "files", "closure", "provenance", "launch", "interrupt", "memory", "seals", "energy", "page"}
PARTS = {"schedule", "augment", "average", "intervals", "measure", "muon", "style", "transfer", "whiten"}
ENGINE = ["distributed", "optim", "checkpoint", "batches", "progress", "live", "predict", "loop", "monitor"]
ENGINE += ["graph", "prepare", "course", "account", "tally"]
MODULES = sorted(path.relative_to(HERE).with_suffix("") for path in HERE.rglob("*.py"))


def level(name):
    """0 ground, 1 parts, 1.5 figures, 2.x engine in its own order, 3 steps."""
    top = name.parts[0]
    if top in GROUND or top in ("config", "__init__"):
        return 0
    if top in PARTS or top in ("nets", "archive"):
        return 1
    if top in ("studies", "figures"):  # parts that stand on other parts
        return 1.5
    if top == "health":  # the doctor's looks, one of which joins processes
        return 2.9
    return 2 + ENGINE.index(top) / 100 if top in ENGINE else 3


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_imports_run_downward(module):
    for path in imports(HERE / f"{module}.py"):
        below = path.relative_to(HERE).with_suffix("")
        if below.name == "__init__":
            continue
        same_folder = len(module.parts) > 1 and below.parts[0] == module.parts[0]
        ground = level(module) == level(below) == 0
        assert same_folder or ground or level(below) < level(module), f"{module} imports {below}"


def test_the_snakefile_imports_no_torch():
    names = [path.stem for path in HERE.glob("*.py") if path.stem in GROUND | {"config"}]
    code = f"import sys\nfor n in {names}: __import__('dawn.' + n)\nprint('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def test_a_closure_is_what_python_loads():
    for step in ("arrays", "train", "evaluate", "download", "summarize"):
        code = (
            f"import sys, dawn.{step}\n"
            "print(*sorted(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'dawn'))"
        )
        loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
        assert loaded <= {str(path) for path in closure(step)}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_files_and_functions_are_read_in_one_go(module):
    text = (HERE / f"{module}.py").read_text()
    assert text.count("\n") <= 180
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 34, node.name


def test_every_step_tells_what_it_is():
    steps = [path.stem for path in HERE.glob("*.py") if "cli.run(main)" in path.read_text() and path.stem != "cli"]
    assert len(steps) >= 12
    code = (
        "import runpy, sys\n"
        f"for step in {steps}:\n"
        "    sys.argv = [step, '--help']\n"
        "    try: runpy.run_module('dawn.' + step, run_name='__main__', alter_sys=True)\n"
        "    except SystemExit as end: assert not end.code, step\n"
    )
    shown = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=True
    ).stdout
    for step in steps:
        assert f"usage: python -m dawn.{step}" in shown


def test_what_is_committed_names_no_host_and_no_path_of_this_machine():
    listed = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    hosts = ["py" + "pi.org", "python" + "hosted", "/wo" + "rk/"]
    for name in listed.stdout.splitlines():
        path = ROOT / name
        if path.is_file():
            text = path.read_text(encoding="utf-8", errors="replace")
            assert not [host for host in hosts if host in text], name
