"""Git answers for the checkout alone, whatever repository it lies in and whatever the environment says."""

import os
import subprocess

import pytest

from dawn.core import git

WHO = ("-c", "user.name=a", "-c", "user.email=a@b", "-c", "core.hooksPath=/dev/null")


def run(folder, *words):
    clean = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *WHO, *words], cwd=folder, check=True, capture_output=True, text=True, env=clean)
    return done.stdout.strip()


def commit(folder, *files):
    for name in files:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    if not (folder / ".git").exists():
        run(folder, "init", "--quiet")
    run(folder, "add", ".")
    run(folder, "commit", "--quiet", "--allow-empty", "--message", "all")
    return run(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path):
    """A repository, and its commit."""
    return tmp_path, commit(tmp_path, "Snakefile", "params.yaml", "workflow/dawn/a.py", "workflow/presets/a.yaml")


def test_the_environment_does_not_choose_the_repository(checkout, tmp_path_factory, monkeypatch):
    folder, made = checkout
    other = tmp_path_factory.mktemp("other")
    foreign = commit(other, "x")
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git/index"))
    assert foreign != made
    assert git.revision(folder) == (made, "")


def test_a_copy_inside_another_repository_has_no_commit(tmp_path):
    commit(tmp_path, "x")
    copy = tmp_path / "copy"
    (copy / "workflow").mkdir(parents=True)
    (copy / "Snakefile").touch()
    assert git.revision(copy) == (None, None)
    assert git.git(copy, "show", "HEAD:./params.yaml") is None
    assert git.revision(tmp_path / "missing") == (None, None)


def test_a_checkout_that_another_repository_contains_has_its_commit(tmp_path):
    made = commit(tmp_path, "x", "dawn/Snakefile", "dawn/params.yaml")
    (tmp_path / "x").write_text("changed")  # not of the checkout
    assert git.revision(tmp_path / "dawn") == (made, "")
    (tmp_path / "dawn/Snakefile").write_text("changed")
    assert git.revision(tmp_path / "dawn") == (made, "M dawn/Snakefile")


@pytest.mark.parametrize(
    "name", ["params.yaml", "dvc.lock", "dvc.yaml", ".dvc/config", "workflow/presets/mine.yaml", "docs/measurements/x"]
)
def test_settings_and_what_dvc_writes_are_no_code(checkout, name):
    folder, made = checkout
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("changed")
    assert git.revision(folder) == (made, "")


@pytest.mark.parametrize(
    "name", ["workflow/dawn/a.py", "workflow/dawn/new.py", "workflow/networks/mine.py", "Snakefile"]
)
def test_changed_code_is(checkout, name):
    folder, _ = checkout
    run(folder, "config", "status.showUntrackedFiles", "no")
    (folder / name).parent.mkdir(parents=True, exist_ok=True)
    (folder / name).write_text("changed")
    assert git.revision(folder)[1] != ""
