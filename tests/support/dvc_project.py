"""A git repository of a tiny experiment, in which the real DVC is called as a user calls it."""

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import workspace
import yaml
from conftest import step

from dawn.config.experiment import check
from dawn.results.manifest import choices

WHO = ("-c", "user.name=A", "-c", "user.email=a@example.org")
TINY = ("train={epochs: 1}", "evaluate={target: 5}", "submission={cost_per_hour: 3.6}")


@dataclass(frozen=True)
class Project:
    """A repository at ``path``."""

    path: Path

    def run(self, *line: str, fails: bool = False, **env: str) -> str:
        """What a command prints, both streams; it must succeed, or fail if ``fails``."""
        done = subprocess.run(
            line, cwd=self.path, env=environment() | env, text=True, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        assert (done.returncode != 0) == fails, done.stdout
        return done.stdout

    def dvc(self, *args: str, fails: bool = False) -> str:
        """What dvc prints."""
        return self.run("dvc", *args, fails=fails)

    def exp(self, *args: str, fails: bool = False) -> list[str]:
        """The stages that ran in ``dvc exp run``, in order; those that were not run are not named."""
        return ran(self.dvc("exp", "run", *args, fails=fails))

    def changed(self) -> set[str]:
        """The stages that DVC would run."""
        return set(json.loads(self.dvc("status", "--json").splitlines()[-1]))

    def git(self, *args: str) -> str:
        """What git prints."""
        return self.run("git", *WHO, *args)

    def planned(self) -> str:
        """What snakemake would do."""
        return self.run("snakemake", "-n", "--quiet", "host")

    def metrics(self, revision: str | None = None) -> dict[str, Any]:
        """The metrics in the workspace, or those that DVC keeps for a revision."""
        if revision is None:
            found: dict[str, Any] = json.loads((self.path / "results/metrics.json").read_text())
            return found
        return dict(json.loads(self.stored(revision, "results/metrics.json")))

    def stored(self, revision: str, path: str) -> str:
        """The text of a file that DVC keeps for a revision."""
        outs = [out for stage in self.lock(revision).values() for out in stage["outs"]]
        md5 = next(out["md5"] for out in outs if out["path"] == path)
        return (self.path / ".dvc/cache/files/md5" / md5[:2] / md5[2:]).read_text()

    def lock(self, revision: str) -> dict[str, Any]:
        """The stages of dvc.lock at a revision."""
        return dict(yaml.safe_load(self.git("show", f"{self.commit(revision)}:dvc.lock"))["stages"])

    def commit(self, name: str) -> str:
        """The commit of an experiment, or of a branch where no experiment has the name."""
        found = self.git("for-each-ref", "--format=%(objectname)", f"refs/exps/**/{name}").split()
        return found[0] if found else name

    def verified(self, name: str) -> dict[str, Any]:
        """The metrics of an experiment, whose manifests must be of the params.yaml that it is shown with."""
        revision = self.commit(name)
        experiment = check(yaml.safe_load(self.git("show", f"{revision}:params.yaml")))
        for seed in experiment.seeds:
            manifest = json.loads(self.stored(revision, f"results/manifests/{seed}.json"))
            assert manifest["choices"] == choices(experiment, *experiment.decided_by)
        metrics = self.metrics(revision)
        assert metrics["seeds"] == len(experiment.seeds)
        assert metrics["target"]["accuracy"] == experiment.evaluate.target
        return metrics


def ran(output: str) -> list[str]:
    """The stages that DVC prints as running."""
    return [line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")]


def environment() -> dict[str, str]:
    """The shell's, with the engines of this Python first, and nothing of a DVC that may be around the test."""
    kept = {name: value for name, value in workspace.environment().items() if not name.startswith("DVC_")}
    return kept | {"PATH": f"{workspace.BIN}{os.pathsep}{kept['PATH']}", "GIT_TERMINAL_PROMPT": "0"}


def adopt(place: workspace.Workspace) -> Project:
    """A repository of a checkout whose params.yaml has run already: DVC takes over its results."""
    project = Project(place.path)
    assert step("plots_template", "--out", place.path / ".dvc/plots.html").returncode == 0  # as `make env` does
    project.git("init", "--quiet")
    project.git("config", "user.name", "A")
    project.git("config", "user.email", "a@example.org")
    project.git("add", "--all")
    if (place.path / "results").exists():
        project.dvc("commit", "--force")
    project.git("commit", "--quiet", "--all", "--message", "A small experiment")
    return project


def run_first(folder: Path) -> None:
    """A project whose first experiment has run in the workspace."""
    assert make(folder).exp("-n", "first") == ["prepare", "train@0", "evaluate@0", "summarize"]


def make(folder: Path) -> Project:
    """A repository as a clone would be, its params.yaml that of a tiny experiment on a small archive."""
    place = workspace.make(folder)
    workspace.write_params(place, *TINY)
    return adopt(place)
