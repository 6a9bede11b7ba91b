"""A copy of the checkout to run real engines in, with a small archive beside it."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from conftest import ROOT, step

BIN = Path(sys.executable).parent
SMALL = [
    "model={blocks: [1, 1], width: 4, bn_momentum: 0.1}",
    "train={epochs: 2, batch: 32, schedule: {peak: 0.1}, augment: {pad: 2}}",
]


@dataclass(frozen=True)
class Workspace:
    """A checkout at ``path`` whose experiments read ``archive``."""

    path: Path
    archive: Path

    def snakemake(self, *args: str, **kwargs: object) -> "subprocess.CompletedProcess[str]":
        """Run snakemake with the small experiment; further --config settings and options as given."""
        settings = [arg for arg in args if "=" in arg and not arg.startswith("-")]
        rest = [arg for arg in args if arg not in settings]
        data = f"data={{urls: [{self.archive}], sha256: null, bytes: null, layout: binary, classes: null}}"
        return subprocess.run(
            [BIN / "snakemake", *rest, "--config", data, *SMALL, *settings],  # the last of a name counts
            cwd=self.path, capture_output=True, text=True, check=False, env=environment(), **kwargs,
        )  # type: ignore[call-overload]  # fmt: skip

    def planned(self, *args: str) -> set[str]:
        """The rules that would run."""
        done = self.snakemake(*args, "-n", "--quiet", "host")
        assert done.returncode == 0, done.stderr
        # The table of jobs: a rule and a number on a line, between a rule of dashes and the total.
        return set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.MULTILINE)) - {"total"}


def environment() -> dict[str, str]:
    """The shell's, less what would write elsewhere, with compiled bytecode kept, which halves every start."""
    return {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {"OMP_NUM_THREADS": "1"}


def make(folder: Path, train: int = 320, test: int = 100) -> Workspace:
    """Copy what git would, and draw a small archive."""
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    path = folder / "checkout"
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, path / name)
    archive = folder / "small.tar.gz"
    assert step("demo_archive", "--out", archive, "--train", train, "--test", test).returncode == 0
    return Workspace(path, archive)
