"""The real image, built by Docker on a base image from Debian packages, run by Docker, Apptainer and Slurm.

DAWN_HPC=/some/folder keeps the daemon and the image there for the next run.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path

import engines
import numpy as np
import pytest
import workspace
from conftest import ROOT
from engines import USERNS, Cluster, run

SAME = ("model.safetensors", "confusion.csv")
VALUES = ("BASE=debian-python:bookworm", "SNAPSHOT=", "COMPILER='g++ python3-dev'")
ARGUMENTS = " ".join(["--network=host", *(f"--build-arg {value}" for value in VALUES)])


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    kept = os.environ.get("DAWN_HPC")
    folder = Path(kept) if kept else tmp_path_factory.mktemp("containers")
    with pytest.MonkeyPatch.context() as patch:
        run("bash", engines.SCRIPT, "up", "docker", folder / "docker")
        patch.setenv("DOCKER_HOST", f"unix://{folder}/docker/docker.sock")
        patch.setenv("DOCKER_BUILDKIT", "0")  # Debian's Docker brings no buildx
        patch.setenv("PATH", f"/usr/bin:{os.environ['PATH']}")
        yield folder
        if not kept:
            run("bash", engines.SCRIPT, "down", "docker", folder / "docker")


@pytest.fixture(scope="module")
def image(folder):
    """The image of `make image`, on a base image from Debian packages."""
    if "dawn" not in run("docker", "image", "ls", "--format={{.Repository}}").split():
        run("bash", engines.SCRIPT, "up", "base", folder / "docker")
        run("make", "image", f"IMAGE_ARGS={ARGUMENTS}", cwd=ROOT)
    return "dawn"


@pytest.fixture(scope="module")
def sif(folder, image):
    """The same image as a file for Apptainer, by `make sif`."""
    run("bash", engines.SCRIPT, "up", "apptainer", folder / "apptainer")
    file = folder / "dawn.sif"
    if not file.exists():
        run("make", "sif", f"SIF={file}", cwd=ROOT)
    return file


@pytest.fixture(scope="module")
def plain(tmp_path_factory):
    """A workspace where the pipeline has run without a container."""
    place = workspace.make(tmp_path_factory.mktemp("plain"))
    done = place.snakemake("--cores", "1")
    assert done.returncode == 0, done.stderr
    return place


@pytest.fixture
def place(tmp_path, plain):
    """A fresh checkout, a repository of its own, for the same experiment."""
    path = workspace.make(tmp_path).path
    for words in ("init --quiet", "add --all", "-c user.name=t -c user.email=t@example.org commit --quiet -m t"):
        run("git", *shlex.split(words), cwd=path)
    return workspace.Workspace(path, plain.archive)


def assert_same(place, plain):
    """Assert that the results equal, bit for bit, those without a container."""
    for name in SAME:
        ours, theirs = (where.path / "results/seed-0" / name for where in (place, plain))
        assert ours.read_bytes() == theirs.read_bytes(), name
    ours, theirs = (json.loads((where.path / "results/seed-0/evaluation.json").read_text()) for where in (place, plain))
    assert ours | {"seconds": 0} == theirs | {"seconds": 0}, "all but its time"
    ours, theirs = (np.load(where.path / "results/seed-0/predictions.npz") for where in (place, plain))
    for name in ("logits", "labels"):  # the bytes of a zip depend on the version of Python
        assert np.array_equal(ours[name], theirs[name])
    ours, theirs = (json.loads((where.path / "results/metrics.json").read_text()) for where in (place, plain))
    assert all(ours[name] == theirs[name] for name in ("accuracy", "loss", "top5", "calibration_error"))


def inside(image, *command, **options):
    """A command in the image, the checkout where the image expects it."""
    return run("docker", "run", "--rm", "--network=host", f"--volume={ROOT}:/dawn:ro", image, *command, **options)


def test_the_image_has_its_labels(image):
    config = json.loads(run("docker", "image", "inspect", image))[0]["Config"]
    assert config["User"] == "1000"
    assert config["Labels"]["org.opencontainers.image.base.name"] == "debian-python:bookworm"
    assert config["Labels"]["org.opencontainers.image.revision"] == run("git", "rev-parse", "HEAD", cwd=ROOT).strip()
    assert config["Healthcheck"]["Test"][:4] == ["CMD", "python", "-m", "dawn.doctor"]
    assert "ok     packages" in inside(image, *config["Healthcheck"]["Test"][1:])


def test_a_compiler_and_any_user_and_nothing_to_write_to(image):
    code = "import torch; print(torch.compile(lambda x: x.sin() + 1)(torch.zeros(8)).sum().item())"
    line = ["docker", "run", "--rm", "--network=host", "--user=12345:12345", "--read-only", "--tmpfs=/tmp:exec"]
    assert run(*line, "--env=HOME=/tmp", "--env=USER=me", image, "python", "-c", code).strip() == "8.0"


def test_the_sbom_of_the_image(image, tmp_path):
    run(sys.executable, "-m", "dawn.sbom", "--image", image, "--out", tmp_path / "sbom.json", cwd=ROOT)
    rows = [line.split("\t") for line in (tmp_path / "sbom.tsv").read_text().splitlines()]
    kinds = {row[0]: row[2] for row in rows}
    assert (kinds["torch"], kinds["libstdc++6"]) == ("pypi", "deb")
    assert "snakemake" not in kinds


def test_every_rule_in_docker(image, place, plain, monkeypatch):
    monkeypatch.setenv("DAWN_DOCKER", image)
    monkeypatch.setenv("DAWN_DOCKER_ARGS", f"--volume {place.archive.parent}:{place.archive.parent}:ro")
    done = place.snakemake("--cores", "1")
    assert done.returncode == 0, done.stderr
    assert_same(place, plain)
    record = json.loads((place.path / "results/provenance.json").read_text())
    assert record["machine"]["image"].startswith("dawn@sha256:")
    assert record["code"]["commit"] == run("git", "rev-parse", "HEAD", cwd=place.path).strip()
    assert "snakemake" not in record["packages"]


def test_the_documented_line_joins_processes_in_docker(image, plain, tmp_path):
    lines = re.findall(r"^(docker run .*?[^\\])\n", (ROOT / "docs/cluster.md").read_text(), re.MULTILINE | re.DOTALL)
    assert len(lines) == 1
    copy = shutil.copytree(plain.path, tmp_path / "copy")
    line = lines[0].replace("--gpus all", "--network=host").replace("--processes 8", "--processes 2")
    run("bash", "-c", line, cwd=copy)
    assert json.loads((copy / "results/seed-0/metrics.json").read_text())["processes"] == 2


def test_every_rule_in_apptainer(sif, place, plain):
    shutil.copy2(sif, place.path / "containers/dawn.sif")
    with pytest.MonkeyPatch.context() as patch:
        for name, value in USERNS.items():
            patch.setenv(name, value)
        done = place.snakemake("--cores", "1", "--profile", "profiles/apptainer")
        assert done.returncode == 0, done.stderr
        looked = place.snakemake("doctor", "--profile", "profiles/apptainer")
    assert "Activating singularity image" in done.stderr or "apptainer" in done.stderr.lower()
    assert_same(place, plain)
    record = json.loads((place.path / "results/provenance.json").read_text())
    assert "dawn.sif@sha256:" in record["machine"]["image"]
    assert record["code"]["dirty"] is False
    assert looked.returncode == 0, looked.stdout
    assert "containers/dawn.sif, built from this requirements/runtime.lock" in looked.stdout
    left = {path.name for path in place.path.iterdir() if path.name.startswith(".")}
    assert left <= {".git", ".gitignore", ".ci", ".dvc", ".dvcignore", ".dockerignore", ".snakemake"}, "no caches"


@pytest.mark.parametrize("settings", ["run={gpus: 0}", "run={gpus: 0, nodes: 2, processes: 1}"])
def test_slurm_and_apptainer_together(sif, place, plain, folder, settings):
    (place.path / "containers/dawn.sif").symlink_to(sif)
    with engines.engine("slurm", folder / "slurm"):
        cluster = Cluster(folder / "slurm", place)
        output = cluster.finish(cluster.start("all", "--software-deployment-method", "apptainer", settings=(settings,)))
    assert cluster.metrics(0)["processes"] == (2 if "nodes" in settings else 1), output
    record = json.loads((place.path / "results/provenance.json").read_text())
    assert "dawn.sif@sha256:" in record["machine"]["image"]
    if "nodes" not in settings:
        assert_same(place, plain)


def test_it_was_stopped_in_docker_and_goes_on(image, plain, tmp_path):
    line = ["docker", "run", "--rm", "--network=host", "--init", "--name=dawn-stopped", f"--user={os.getuid()}",
            f"--volume={plain.path}:/dawn", f"--volume={tmp_path}:/out", image]  # fmt: skip
    params = tmp_path / "params.yaml"
    text = (plain.path / "results/params.yaml").read_text()
    params.write_text(text.replace("epochs: 2", "epochs: 400"))
    step = shlex.split("python -m dawn.train --params /out/params.yaml --data data --stats data/stats.json --seed 0")
    process = subprocess.Popen([*line, *step, "--out", "/out", "--resume", "/out/r"], stderr=subprocess.DEVNULL)
    while not list(tmp_path.glob("r/*/seed-0/state.pt")):
        assert process.poll() is None
    run("docker", "stop", "--time=60", "dawn-stopped")
    assert process.wait() == 75
