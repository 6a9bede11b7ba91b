"""The provenance of a result, with and without git and an image."""

import re
import subprocess
import sys
from pathlib import Path

from conftest import ROOT

from dawn.core.files import sha256
from dawn.report.measured import differing
from dawn.results import provenance


def test_the_workflow_passes_the_commit_to_an_image_without_git(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DAWN_CODE", "c0ffee\n M Snakefile")
    assert provenance.code(ROOT)["commit"] == "c0ffee"
    assert provenance.code(ROOT)["dirty"] is True
    monkeypatch.setenv("DAWN_CODE", "c0ffee\n")
    assert provenance.code(ROOT)["dirty"] is False
    monkeypatch.delenv("DAWN_CODE")
    assert provenance.code(ROOT)["commit"] is None
    assert provenance.code(ROOT)["dirty"] is None
    (tmp_path / "dawn.sif").write_bytes(b"image")
    monkeypatch.setenv("APPTAINER_CONTAINER", str(tmp_path / "dawn.sif"))
    assert provenance.image() == f"dawn.sif@sha256:{sha256(tmp_path / 'dawn.sif')}"


def test_packages_and_machine_are_of_this_python():
    assert provenance.packages()["torch"].startswith("2.")
    found = provenance.machine()
    assert found["cores"] >= 1
    assert found["cpu"]
    assert set(found["features"]) <= set(re.findall(r"\w+", Path("/proc/cpuinfo").read_text()))


def test_an_image_is_named_without_its_folder(monkeypatch, tmp_path):
    file = tmp_path / "dawn.sif"
    monkeypatch.setenv("APPTAINER_CONTAINER", str(file))
    assert (provenance.machine()["image"], provenance.image()) == ("dawn.sif", "dawn.sif")
    file.write_bytes(b"image")
    trained = [{"seed": 0, "ran_on": [ran_on("a", image=name)]} for name in ("dawn.sif", "other.sif")]
    assert provenance.collect(ROOT, trained[:1])["machine"]["image"] == f"dawn.sif@sha256:{sha256(file)}"
    assert provenance.collect(ROOT, trained[1:])["machine"]["image"] == "other.sif"
    monkeypatch.setenv("APPTAINER_CONTAINER", "")
    monkeypatch.setenv("DAWN_IMAGE", "dawn:1@sha256:abc")
    assert (provenance.machine()["image"], provenance.image()) == ("dawn:1@sha256:abc", "dawn:1@sha256:abc")


def ran_on(host, cpu="Xeon", torch="2.15.0", image=None):
    machine = {"system": "Linux", "cpu": cpu, "features": ["avx2"], "cores": 8, "gpus": [], "image": image}
    return {"host": host, "python": "3.11.7", "machine": machine, "packages": {"torch": torch, "numpy": "2.4.0"}}


def test_the_machine_is_that_of_the_trainings():
    trainings = [{"seed": seed, "ran_on": [ran_on(f"n{seed}")]} for seed in (3, 4)]
    found = provenance.collect(ROOT, trainings)
    assert (found["hosts"], found["python"], found["differences"]) == (["n3", "n4"], "3.11.7", {})
    assert found["machine"] == ran_on("n3")["machine"]
    assert found["packages"] == {"torch": "2.15.0", "numpy": "2.4.0"}
    assert (
        provenance.collect(ROOT, [{"seed": 0}])["machine"]["cpu"] == provenance.machine()["cpu"]
    )  # an earlier version


def test_where_machines_or_packages_differ_the_seeds_are_named():
    trainings = [
        {"seed": 0, "ran_on": [ran_on("a")]},
        {"seed": 1, "ran_on": [ran_on("a"), ran_on("b", "EPYC")]},  # resumed elsewhere
        {"seed": 2, "ran_on": [ran_on("b", "EPYC", "2.14.0")]},
    ]
    found = provenance.collect(ROOT, trainings)
    assert found["differences"] == {
        "machine.cpu": {"Xeon": [0, 1], "EPYC": [1, 2]},
        "packages.torch": {"2.15.0": [0, 1], "2.14.0": [2]},
    }
    assert differing(found)["machine.cpu"] == "Xeon (seed 0, 1); EPYC (seed 1, 2)"


def test_rows_of_other_measurements_are_no_changed_code(tmp_path, monkeypatch):
    monkeypatch.delenv("DAWN_CODE", raising=False)

    def git(*words):
        subprocess.run(["git", "-c", "user.name=a", "-c", "user.email=a@b", *words], cwd=tmp_path, check=True)

    git("init", "--quiet")
    (tmp_path / "docs/measurements").mkdir(parents=True)
    (tmp_path / "code.py").write_text("1")
    git("add", ".")
    git("commit", "--quiet", "--message", "all")
    (tmp_path / "docs/measurements/x.json").write_text("{}")
    assert provenance.code(tmp_path)["dirty"] is False
    (tmp_path / "code.py").write_text("2")
    assert provenance.code(tmp_path)["dirty"] is True


def test_the_command_of_a_job_is_what_the_user_typed(monkeypatch):
    monkeypatch.setenv("DAWN_COMMAND", "/opt/bin/snakemake --configfile /srv/me/mine.yaml --config 'seeds=3'")
    assert provenance.command() == "snakemake --configfile mine.yaml --config seeds=3"
    monkeypatch.delenv("DAWN_COMMAND")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setattr(sys, "orig_argv", ["/opt/bin/python3", "-m", "dawn.race", "--out", "results/race.json"])
    assert provenance.command() == "OMP_NUM_THREADS=1 python -m dawn.race --out results/race.json"
