"""A finished run as a Workflow Run RO-Crate, checked by the profile's own validator, here without a network."""

import json
import zipfile
from pathlib import Path

import pytest
import rocrate
from conftest import step
from rocrate_validator import models, services
from rocrate_validator.utils import document_loader

from dawn import crate as crates
from dawn.results import ro_crate

# The library has the context of RO-Crate 1.3; the profile is based on 1.1, which differs in these terms.
LIBRARY = json.loads((Path(rocrate.__file__).parent / "data/ro-crate.jsonld").read_text())["@context"]
OF_11 = {
    "ComputationalWorkflow": "https://bioschemas.org/ComputationalWorkflow",
    "FormalParameter": "https://bioschemas.org/FormalParameter",
    "input": "https://bioschemas.org/ComputationalWorkflow#input",
    "output": "https://bioschemas.org/ComputationalWorkflow#output",
}
# Recommendations that a run on a local archive, whose submission section names no author and no address, cannot follow.
RECOMMENDED = {
    "process-run-crate-0.5_3.2", "process-run-crate-0.5_5.1", "process-run-crate-0.5_8.6", "ro-crate-1.1_22.2",
    "ro-crate-1.1_22.3", "workflow-run-crate-0.5_7.1",
}  # fmt: skip
NEED_THE_NETWORK = ["ro-crate-1.1_3.1", "ro-crate-1.1_3.2"]


pytestmark = pytest.mark.full


@pytest.fixture(scope="module")
def crate(finished, tmp_path_factory):
    path = tmp_path_factory.mktemp("crate") / "crate.zip"
    done = step("crate", "--root", finished.root, "--results", finished.results, "--data", finished.data, "--out", path)
    assert done.returncode == 0, done.stderr
    return path


def issues(path, monkeypatch, profile="workflow-run-crate"):
    known = document_loader._original_source_to_json

    def local(source, *rest):
        here = str(source).startswith("https://w3id.org/ro/crate/1.1/")
        return ({"@context": LIBRARY | OF_11}, None) if here else known(source, *rest)

    monkeypatch.setattr(document_loader, "_original_source_to_json", local)
    settings = services.ValidationSettings(
        rocrate_uri=str(path), profile_identifier=profile, skip_checks=NEED_THE_NETWORK,
        requirement_severity=models.Severity.RECOMMENDED,
    )  # fmt: skip
    return [(i.severity, i.check.identifier, i.message) for i in services.validate(settings).get_issues()]


@pytest.mark.filterwarnings("ignore")  # the validator's own
@pytest.mark.parametrize("profile", ["process-run-crate", "workflow-run-crate", "workflow-ro-crate"])
def test_the_crate_conforms_to_each_of_its_profiles(crate, monkeypatch, profile):
    found = issues(crate, monkeypatch, profile)
    assert [issue for issue in found if issue[0] == models.Severity.REQUIRED] == []
    assert [issue for issue in found if issue[1] not in RECOMMENDED] == []


@pytest.mark.filterwarnings("ignore")
def test_the_validator_reports_what_is_missing(crate, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    zipfile.ZipFile(crate).extractall(broken)
    path = broken / "ro-crate-metadata.json"
    graph = json.loads(path.read_text())
    for entity in graph["@graph"]:
        if entity["@id"] == "#run":
            del entity["instrument"]
    path.write_text(json.dumps(graph))
    assert any(severity == models.Severity.REQUIRED for severity, _, _ in issues(broken, monkeypatch))


def test_every_file_that_it_names_is_in_it(crate):
    with zipfile.ZipFile(crate) as packed:
        names = set(packed.namelist())
        graph = json.loads(packed.read("ro-crate-metadata.json"))["@graph"]
        files = {e["@id"]: e for e in graph if "File" in e["@type"] and not e["@id"].startswith("http")}
        assert set(files) <= names
        assert {"Snakefile", "params.yaml", "results/metrics.json", "results/seed-0/model.safetensors"} <= set(files)
        action = next(e for e in graph if e["@type"] == "CreateAction")
        assert {"@id": "results/metrics.json"} in action["result"]
        assert {"@id": "results/params.yaml"} in action["object"]
        assert not [name for name in names if "__pycache__" in name]
        assert {"LICENSE", "Makefile", "profiles/demo/config.yaml", ".ci/run", "results/manifests/0.json"} <= set(files)
        assert not [entity for entity in files.values() if len(entity["sha256"]) != 64]
        assert "tests of the code are left out" in next(e for e in graph if e["@id"] == "./")["description"]


def test_what_is_measured_again_is_compared_with_entities(crate, finished):
    graph = json.loads(zipfile.ZipFile(crate).read("ro-crate-metadata.json"))["@graph"]
    entities = {entity["@id"]: entity for entity in graph}
    metrics = json.loads((finished.results / "metrics.json").read_text())
    assert {"@id": "#accuracy"} in entities["./"]["variableMeasured"]
    assert entities["#accuracy"]["value"] == metrics["accuracy"]["mean"]
    assert entities["#accuracy"]["description"] == "mean over 2 seeds"
    assert entities["Snakefile"]["citation"] == {"@id": "CITATION.cff"}


def test_an_image_and_an_orcid_are_entities():
    made = ro_crate.empty_crate()
    image = crates.add_image(made, f"dawn.sif@sha256:{'0' * 64}")
    assert (image["name"], image["sha256"]) == ("dawn.sif", "0" * 64)
    assert image.properties()["additionalType"]["@id"].endswith("#SIFImage")
    orcid = "https://orcid.org/0000-0002-1825-0097"
    people = [{"given-names": "A", "family-names": "B", "orcid": orcid}, {"name": "the dawn authors"}]
    (person,) = crates.authors(made, {"authors": people})
    assert (person.id, person["name"]) == (orcid, "A B")
