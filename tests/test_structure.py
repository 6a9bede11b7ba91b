"""The structure that docs/structure.md describes: which package imports which, and the size of files."""

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT

from dawn.config import registry
from dawn.core.code_deps import HERE, REPORTING, closure, code, imports

MODULES = sorted(path.relative_to(HERE).with_suffix("") for path in HERE.rglob("*.py"))
ROW = re.compile(r"^\| `([\w/]+)` \|[^|]+\|([^|]*)\|$", re.MULTILINE)
ALLOWED = {
    package: {package, *re.findall(r"`([\w/]+)`", imported)}
    for package, imported in ROW.findall((ROOT / "docs/structure.md").read_text(encoding="utf-8"))
}


def package(module):
    """The package of a module, a row of the table."""
    return "/".join(module.parts[:2]) if module.parts[0] == "tasks" else module.parts[0]


def test_every_package_has_a_row_in_the_documented_table():
    packages = {path.parent.relative_to(HERE) for path in HERE.rglob("__init__.py")} - {Path(), Path("tasks")}
    assert set(ALLOWED) == {package(path) for path in packages}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_what_the_table_allows(module):
    command = len(module.parts) == 1
    for path in imports(HERE / f"{module}.py"):
        imported = path.relative_to(HERE).with_suffix("")
        if imported.name == "__init__":
            continue
        assert len(imported.parts) > 1, f"{module} imports the command {imported}"
        assert command or package(imported) in ALLOWED[package(module)], f"{module} imports {imported}"


def test_the_snakefile_imports_no_torch():
    declared = [module for module in MODULES if module.parts[0] in ("core", "config") or module.name == "task"]
    names = [".".join(module.parts) for module in declared]
    code = f"import sys\nfor n in {names}: __import__('dawn.' + n)\nprint('torch' in sys.modules)"
    assert subprocess.check_output([sys.executable, "-c", code], text=True).strip() == "False"


def reachable(paths):
    """These files and all that they import."""
    seen = set()
    while paths := {path for path in paths if path not in seen}:
        seen |= paths
        paths = {found for path in paths for found in imports(path)}
    return seen


REPORTED = {str(path) for path in reachable({p for name in REPORTING for p in (HERE / name).rglob("*.py")})}


def test_a_closure_has_the_cpp_files_and_what_they_include():
    chosen = [("tasks.classify.preparation", "kernels.network")]
    kernels = {path.name for path in code(["train"], "classify", chosen) if path.suffix in (".cpp", ".h")}
    assert not [path for path in code(["train"], "classify") if path.parent.name == "kernels"]
    assert kernels == {path.name for path in (HERE / "kernels").iterdir() if path.suffix in (".cpp", ".h")}
    assert {"winograd.cpp", "lanes.h"} <= kernels


LOADED = """
import importlib, json, os, sys
import matplotlib.figure, PIL.Image, pydantic, requests, scipy.stats, torch, yaml
for modules in json.loads(sys.argv[1]):
    if os.fork() == 0:
        for module in modules:
            importlib.import_module(f"dawn.{module}")
        files = [module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "dawn"]
        print(json.dumps([modules, files]), flush=True)
        os._exit(0)
    assert os.wait()[1] == 0, modules
"""


def loaded(*cases):
    """The package's files that Python loads with the modules of each case, in a process of its own without those of
    the others; all are forked from one that has imported torch.
    """
    line = [sys.executable, "-W", "ignore", "-c", LOADED, json.dumps(cases)]
    rows = map(json.loads, subprocess.check_output(line, text=True).splitlines())
    return {tuple(modules): set(files) for modules, files in rows}


OF_SETTINGS = re.compile(
    r"/tasks/(?:\w+/)*(?:task|settings|measures|records|family|__init__)\.py$|/config/augment\.py$"
)
VERBS = ("train", "evaluate", "model", "summarize", "summary", "plot")
CASES = [(verb, task) for task in registry.TASKS for verb in VERBS]


def modules(verb, task):
    """The command, and the module of the task that does its work."""
    return (verb, f"tasks.{task}.{verb}") if registry.has(task, verb) else (verb,)


@pytest.fixture(scope="module")
def files_of():
    return loaded(*{modules(*case) for case in CASES}, ("arrays",), ("download",))


@pytest.mark.parametrize(("verb", "task"), CASES, ids=["-".join(case) for case in CASES])
def test_the_code_of_a_command_for_a_task_is_what_python_loads(verb, task, files_of):
    """Apart from what only reports, and the declarations and settings of the tasks, which check every experiment."""
    files, run = {str(path) for path in code([verb], task)}, files_of[modules(verb, task)]
    others = {path for path in run if OF_SETTINGS.search(path)}
    assert run - REPORTED - others <= files | {str(path) for path in closure(verb)}
    assert not [path for path in files for other in registry.TASKS
                if f"/tasks/{other}/" in path and not allowed(task, other)]  # fmt: skip


def allowed(task, other):
    """Whether the code of a task may include that of another: its own, and the classifiers that judge."""
    return other == task or (other == "classify" and task != "classify")


@pytest.mark.parametrize("step", ["arrays", "download"])
def test_a_closure_is_what_python_loads(step, files_of):
    run = files_of[step,]
    assert run - {path for path in run if OF_SETTINGS.search(path)} <= {str(path) for path in closure(step)}


def test_a_family_of_networks_is_code_of_its_own_experiments_alone():
    darknet = HERE / "tasks/classify/networks/darknet/network.py"
    families = "tasks.classify.networks"
    chosen = [(f"{families}.build", f"{families}.darknet.network")]
    assert darknet in code(["train"], "classify", chosen)
    assert darknet not in code(["train"], "classify", [(f"{families}.build", f"{families}.wrn.network")])
    assert darknet not in code(["train"], "gan", chosen)
    assert darknet in code(["evaluate"], "gan", chosen)  # of the judges


def test_no_two_files_of_rules_give_one_name_to_different_values():
    files = [ROOT / "Snakefile", *sorted((ROOT / "workflow").rglob("*.smk"))]
    found = re.compile(r"^(?:def )?(\w+)(?: = |\()", re.MULTILINE)
    names = [name for path in files for name in set(found.findall(path.read_text(encoding="utf-8"))) - {"include"}]
    assert len(names) > 40
    assert [name for name in set(names) if names.count(name) > 1] == []


def test_what_only_reports_is_no_cause():
    for command in ("train", "evaluate"):
        for task in registry.TASKS:
            assert not [
                path for path in code([command, "launch"], task) if path.relative_to(HERE).parts[0] in REPORTING
            ]


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_files_and_functions_are_read_in_one_go(module):
    text = (HERE / f"{module}.py").read_text()
    assert text.count("\n") <= 350
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef):
            assert node.end_lineno - node.lineno <= 60, node.name


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
