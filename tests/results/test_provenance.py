"""The provenance of a result, with and without git and an image."""

from conftest import ROOT

from dawn.core.files import sha256
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
    assert provenance.image() == f"{tmp_path}/dawn.sif@sha256:{sha256(tmp_path / 'dawn.sif')}"


def test_packages_and_machine_are_of_this_python():
    assert provenance.packages()["torch"].startswith("2.")
    found = provenance.machine()
    assert found["cores"] >= 1
    assert found["cpu"]
