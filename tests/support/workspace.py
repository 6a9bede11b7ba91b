"""A copy of the checkout to run real engines in, with a small archive next to it."""

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil
import yaml
from archives import call
from conftest import ROOT

from dawn import demo_archive
from dawn.preset import merged

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

    def line(self, *args: str) -> list[str]:
        """The command line of snakemake with the small experiment; further --config settings and options as given."""
        settings = [arg for arg in args if "=" in arg and not arg.startswith("-")]
        rest = [arg for arg in args if arg not in settings]
        return [str(BIN / "snakemake"), *rest, "--config", data(self.archive), *SMALL, *settings]  # the last one counts

    def snakemake(self, *args: str, **kwargs: object) -> "subprocess.CompletedProcess[str]":
        """Run snakemake to its end."""
        return subprocess.run(
            self.line(*args), cwd=self.path, capture_output=True, text=True, check=False, env=environment(), **kwargs
        )  # type: ignore[call-overload]

    @contextmanager
    def running(self, *args: str) -> "Iterator[subprocess.Popen[str]]":
        """Snakemake as a process group of its own, of which nothing is left when the block ends."""
        process = subprocess.Popen(
            self.line(*args), cwd=self.path, env=environment(), start_new_session=True, text=True,
            stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
        finally:
            kill_group(process)

    def planned(self, *args: str) -> set[str]:
        """The rules that would run."""
        done = self.snakemake(*args, "-n", "--quiet", "host")
        assert done.returncode == 0, done.stderr
        # The table of jobs: a rule and a number on a line, between a rule of dashes and the total.
        return set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.MULTILINE)) - {"total"}

    def wait_for_checkpoint(self, process: "subprocess.Popen[str]", seed: int) -> None:
        """Return as soon as a running training of this seed has written a checkpoint."""
        while not list(self.path.glob(f".resume/*/seed-{seed}/state.pt")):
            assert process.poll() is None, "it ended before its first checkpoint"
            time.sleep(0.02)

    def copy(self, folder: Path) -> "Workspace":
        """A copy with everything in it; the times of files are kept, so Snakemake has nothing to do there either."""
        shutil.copytree(self.path, folder / "checkout", symlinks=True)
        return Workspace(folder / "checkout", self.archive)


def data(archive: Path) -> str:
    """The setting that makes an experiment read the small archive."""
    return f"data={{urls: [{archive}], sha256: null, bytes: null, layout: binary, classes: null}}"


def kill_group(process: "subprocess.Popen[str]") -> None:
    """Kill a process and all that it started in its group, as kill -9 would."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()


def jobs(process: "subprocess.Popen[str]", step: str) -> list[psutil.Process]:
    """The processes below ``process`` that run ``python -m <step>``."""
    found = []
    for child in psutil.Process(process.pid).children(recursive=True):
        with suppress(psutil.NoSuchProcess):  # it has ended meanwhile, or is a zombie
            if ["-m", step] == child.cmdline()[1:3]:
                found.append(child)
    return found


def environment() -> dict[str, str]:
    """The shell's, less what would write elsewhere, with compiled bytecode kept, which halves every start.

    Snakemake's plugin for Slurm asks its controller at every start, 10 seconds long where none answers: not in tests.
    """
    kept = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    return kept | {"OMP_NUM_THREADS": "1", "SLURM_CONF": "/dev/null"}


def at(folder: Path) -> Workspace:
    """The workspace that ``make`` has made in a folder."""
    return Workspace(folder / "checkout", folder / "small.tar.gz")


def make(folder: Path, train: int = 320, test: int = 100) -> Workspace:
    """Copy what git would, and draw a small archive."""
    listed = subprocess.check_output(["git", "ls-files", "-co", "--exclude-standard"], cwd=ROOT, text=True)
    place = at(folder)
    for name in listed.splitlines():
        if (ROOT / name).is_file():
            (place.path / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, place.path / name)
    assert call(demo_archive.main, "--out", place.archive, "--train", train, "--test", test) is None
    return place


def write_params(place: Workspace, *settings: str) -> None:
    """Make the small experiment that of params.yaml, so that plain ``snakemake`` and ``dvc`` run it."""
    path, text = place.path / "params.yaml", (place.path / "params.yaml").read_text()
    for setting in [data(place.archive), *SMALL, *settings]:
        key, _, value = setting.partition("=")
        text = merged(text, yaml.safe_dump({key: yaml.safe_load(value)}))
    path.write_text(text)
