"""Experiments shared through an S3 server as docs/compare.md describes: in a clone nothing is trained again."""

import dvc_project
import finished
import pytest
from s3_server import SECRETS, serving

pytestmark = pytest.mark.full


@pytest.fixture
def project(tmp_path_factory):
    """A project whose first experiment has run, with a git remote."""
    place = finished.once(tmp_path_factory, "dvc-once", dvc_project.run_first)
    here = dvc_project.Project(place.copy(tmp_path_factory.mktemp("dvc")).path)
    here.run("git", "init", "--quiet", "--bare", "../origin.git")
    here.git("remote", "add", "origin", "../origin.git")
    return here


def use(project, url, options, *local):
    """Set the remote as the documentation does."""
    project.dvc("remote", "add", *local, "--default", "team", url)
    for option in options:
        project.dvc("remote", "modify", *local, "team", *option)


def clone(project, folder):
    """A colleague's clone."""
    other = dvc_project.Project(folder)
    project.git("push", "--quiet", "origin", "HEAD")
    project.git("clone", "--quiet", str(project.path.parent / "origin.git"), str(folder))
    other.git("config", "user.name", "B")
    other.git("config", "user.email", "b@example.org")
    return other


def require_applied(project, other, name):
    """An experiment in the clone is whole: its results come from the remote, and no stage and no rule runs."""
    other.dvc("exp", "apply", name)
    other.run("make", "sync")
    assert other.changed() == set()
    assert other.exp("-n", f"{name}-again") == []
    assert "Nothing to be done" in other.planned()
    assert other.verified(name) == project.verified(name)
    assert (other.path / "results/seed-0/model.safetensors").is_file()


def require_no_secret(project):
    """Neither the history of the configuration nor its file holds what signs in to the server."""
    texts = project.git("log", "-p", "--all", "--", ".dvc"), (project.path / ".dvc/config").read_text()
    assert [secret for secret in SECRETS.values() for text in texts if secret in text] == []


def test_a_remote_in_the_local_configuration_takes_experiments_that_are_older_than_it(project, tmp_path, monkeypatch):
    with serving(monkeypatch) as (url, options):
        project.exp("-n", "second", "-S", "train.epochs=2")
        use(project, url, options, "--local")
        project.dvc("exp", "push", "origin", "first", "second")
        other = clone(project, tmp_path / "other")
        use(other, url, options, "--local")
        other.dvc("exp", "pull", "origin", "first", "second")
        for name in ("second", "first"):
            require_applied(project, other, name)
    assert other.metrics()["seeds"] == 1
    require_no_secret(project)


def test_a_committed_remote_takes_experiments_that_began_after_it(project, tmp_path, monkeypatch):
    with serving(monkeypatch) as (url, options):
        use(project, url, options)
        project.git("commit", "--quiet", "--all", "--message", "The team's remote")
        project.exp("-n", "third", "-S", "evaluate.tta=mirror")
        project.dvc("exp", "push", "origin", "third")
        other = clone(project, tmp_path / "other")
        other.dvc("exp", "pull", "origin", "third")
        require_applied(project, other, "third")
    require_no_secret(project)
