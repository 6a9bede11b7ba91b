"""A small run that has finished, made once for the tests that read what it left."""

import fcntl
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import workspace


@dataclass(frozen=True)
class Finished:
    """A checkout in which everything has run with two seeds."""

    place: workspace.Workspace

    @property
    def root(self) -> Path:
        """The checkout."""
        return self.place.path

    @property
    def results(self) -> Path:
        """Its results."""
        return self.root / "results"

    @property
    def data(self) -> Path:
        """Its arrays."""
        return self.root / "data"


def once(factory: pytest.TempPathFactory, name: str, make: Callable[[Path], object]) -> workspace.Workspace:
    """What ``make`` makes in a folder, once for all processes of a test run: the first to ask for it makes it."""
    base = factory.getbasetemp()
    folder = (base.parent if os.environ.get("PYTEST_XDIST_WORKER") else base) / name
    folder.mkdir(exist_ok=True)
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (folder / "done").exists():
            make(folder)
            (folder / "done").touch()
    return workspace.at(folder)


def run_everything(folder: Path) -> None:
    """Two seeds of the small experiment, trained and evaluated, and the page of the run."""
    place = workspace.make(folder)
    workspace.write_params(place, "seeds=[0, 1]")
    run = place.snakemake()
    assert run.returncode == 0, run.stderr
    assert "test accuracy over 2 seeds" in run.stderr


@pytest.fixture(scope="session")
def finished_once(tmp_path_factory):
    """The finished run, which the test processes share and none changes."""
    return once(tmp_path_factory, "finished-once", run_everything)


@pytest.fixture(scope="session")
def finished(finished_once, tmp_path_factory):
    """A copy of the finished run for the tests of this process, which add files but change no result."""
    return Finished(finished_once.copy(tmp_path_factory.mktemp("finished")))


@pytest.fixture(scope="module")
def copied(finished_once, tmp_path_factory):
    """A copy of the finished run for the tests of one module to change."""
    return finished_once.copy(tmp_path_factory.mktemp("copied"))
