"""The structure that docs/structure.md describes: which package imports which, and the size of files."""

import ast
import re
import subprocess
import sys

import pytest
from conftest import ROOT

from dawn.core.code_deps import HERE, REPORTING, closure, imports

MODULES = sorted(path.relative_to(HERE).with_suffix("") for path in HERE.rglob("*.py"))
ROW = re.compile(r"^\| `(\w+)` \|[^|]+\|([^|]*)\|$", re.MULTILINE)
ALLOWED = {
    package: {package, *re.findall(r"`(\w+)`", imported)}
    for package, imported in ROW.findall((ROOT / "docs/structure.md").read_text(encoding="utf-8"))
}


def test_every_package_has_a_row_in_the_documented_table():
    assert set(ALLOWED) == {path.name for path in HERE.iterdir() if (path / "__init__.py").is_file()}


@pytest.mark.parametrize("module", MODULES, ids=str)
def test_a_module_imports_only_what_the_table_allows(module):
    command = len(module.parts) == 1
    for path in imports(HERE / f"{module}.py"):
        imported = path.relative_to(HERE).with_suffix("")
        if imported.name == "__init__":
            continue
        assert len(imported.parts) > 1, f"{module} imports the command {imported}"
        assert command or imported.parts[0] in ALLOWED[module.parts[0]], f"{module} imports {imported}"


def test_the_snakefile_imports_no_torch():
    names = [".".join(module.parts) for module in MODULES if module.parts[0] in ("core", "config")]
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
    kernels = {path.name for path in closure("train") if path.suffix in (".cpp", ".h")}
    assert kernels == {path.name for path in (HERE / "kernels").iterdir() if path.suffix in (".cpp", ".h")}
    assert {"winograd.cpp", "lanes.h"} <= kernels


def test_a_closure_is_what_python_loads():
    for step in ("arrays", "train", "evaluate", "download", "summarize"):
        code = (
            f"import sys, dawn.{step}\n"
            "print(*sorted(m.__file__ for n, m in sys.modules.items() if n.split('.')[0] == 'dawn'))"
        )
        loaded = set(subprocess.check_output([sys.executable, "-c", code], text=True).split())
        assert loaded - REPORTED <= {str(path) for path in closure(step)}


def test_no_two_files_of_rules_give_one_name_to_different_values():
    files = [ROOT / "Snakefile", *sorted((ROOT / "workflow/rules").glob("*.smk"))]
    found = re.compile(r"^(?:def )?(\w+)(?: = |\()", re.MULTILINE)
    names = [name for path in files for name in set(found.findall(path.read_text(encoding="utf-8"))) - {"include"}]
    assert len(names) > 40
    assert [name for name in set(names) if names.count(name) > 1] == []


def test_what_only_reports_is_no_cause():
    for step in ("train", "evaluate", "launch"):
        assert not [path for path in closure(step) if path.relative_to(HERE).parts[0] in REPORTING]
    assert not [path for path in closure("evaluate") + closure("launch") if path.parent.name == "training"]


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
