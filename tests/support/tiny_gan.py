"""A tiny GAN as params.yaml of a workspace, and a finished run of it."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import workspace
import yaml
from conftest import step

from dawn.preset import merged

JUDGE = "tiny-judge"  # a preset of the workspace
SETTINGS = (
    "task=gan",
    "data={holdout: 50}",
    "gan={generator: {architecture: dcgan, latent: 8, width: 4, extra_layers: 0},"
    " critic: {architecture: dcgan, width: 4, extra_layers: 0}, conditional: true, clamp: null, loss: hinge,"
    " critic_steps: {usual: 1, every: 0}, phases: [[0, 1]], epochs: 1, batch: 32}",
    f"judge={{preset: {JUDGE}, seeds: [0]}}",
    "train={epochs: 1}",
    "evaluate={target: 5}",
)


def make(folder: Path, *settings: str) -> workspace.Workspace:
    """A workspace whose params.yaml and dvc.yaml are those of the tiny GAN."""
    return prepared(folder, *SETTINGS, *settings)


def prepared(folder: Path, *settings: str) -> workspace.Workspace:
    """A workspace with these settings in params.yaml, the dvc.yaml of its task, and the preset of a tiny judge."""
    place = workspace.make(folder)
    (place.path / f"workflow/presets/{JUDGE}.yaml").write_text("train: {label_smoothing: 0.1}\n")
    workspace.write_params(place, *settings)
    assert step("dvc_stages", place.path / "dvc.yaml").returncode == 0
    return place


def run(folder: Path) -> None:
    """Train two seeds and their judge, measure and draw them."""
    done = plain(make(folder, "seeds=[0, 1]"))
    assert done.returncode == 0, done.stderr


def plain(place: workspace.Workspace, *args: str) -> "subprocess.CompletedProcess[str]":
    """Snakemake with what is in params.yaml alone."""
    return command(place, str(workspace.BIN / "snakemake"), *args)


def command(place: workspace.Workspace, *line: str) -> "subprocess.CompletedProcess[str]":
    """A command in the workspace."""
    return subprocess.run(
        line, cwd=place.path, capture_output=True, text=True, check=False, env=workspace.environment()
    )


def planned(place: workspace.Workspace) -> set[str]:
    """The rules that would run."""
    done = plain(place, "-n", "--quiet", "host")
    assert done.returncode == 0, done.stderr
    return set(re.findall(r"^(\w+) +\d+$", done.stdout + done.stderr, re.MULTILINE)) - {"total"}


@contextmanager
def restored(place: workspace.Workspace) -> Iterator[None]:
    """Put params.yaml back as it was at the end of the block."""
    path = place.path / "params.yaml"
    before = path.read_text()
    try:
        yield
    finally:
        path.write_text(before)


def change(place: workspace.Workspace, setting: str) -> None:
    """Change a setting of params.yaml."""
    path, (key, _, value) = place.path / "params.yaml", setting.partition("=")
    path.write_text(merged(path.read_text(), yaml.safe_dump({key: yaml.safe_load(value)})))
