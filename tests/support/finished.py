"""A small run that has finished, made once for the tests that look at what it left."""

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


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """Two seeds of the small experiment, trained, judged and drawn, a learning rate looked for."""
    place = workspace.make(tmp_path_factory.mktemp("finished"))
    run = place.snakemake("plots", "results/lr_find.png", "seeds=[0, 1]", "lr_find={steps: 12}")
    assert run.returncode == 0, run.stderr
    return Finished(place)
