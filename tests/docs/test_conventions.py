"""What users of the ecosystem expect of a repository: each file is there, and says what is true."""

import json
import os
import re
import subprocess
import sys
import tomllib

import pytest
import yaml
from archives import call
from conftest import ROOT

from dawn import schema

MAKEFILE = (ROOT / "Makefile").read_text()


def read(name):
    return yaml.safe_load((ROOT / name).read_text())


def test_make_help_lists_every_target():
    shown = subprocess.run(["make", "-s", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    targets = re.search(r"^\.PHONY: (.+)$", MAKEFILE, re.MULTILINE)[1].split()
    assert sorted(re.findall(r"^make (\S+)  +\S", shown, re.MULTILINE)) == sorted(targets)


def test_pre_commit_runs_the_checks_of_make_lint():
    recipe = re.search(r"^lint:.*\n((?:\t.+\n)+)", MAKEFILE, re.MULTILINE)[1]
    checks = [line.strip().replace("$(BIN)", ".venv/bin") for line in recipe.splitlines()]
    (repository,) = read(".pre-commit-config.yaml")["repos"]
    assert repository["repo"] == "local"
    assert [hook["entry"] for hook in repository["hooks"]] == checks


def test_the_workflow_of_github_runs_what_continuous_integration_runs():
    steps = read(".github/workflows/ci.yml")["jobs"]["check"]["steps"]
    assert [step["run"] for step in steps if "run" in step] == ["bash .ci/run"]
    assert (ROOT / ".ci/run").is_file()


def test_the_citation_is_of_this_version():
    citation, project = read("CITATION.cff"), tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert citation["cff-version"] == "1.2.0"
    assert (citation["title"], citation["version"]) == (project["name"], project["version"])
    assert citation["license"] == project["license"]
    assert {"message", "authors"} <= set(citation)
    versions = re.findall(r"^## (.+)$", (ROOT / "CHANGELOG.md").read_text(), re.MULTILINE)
    assert versions[0] == "Unreleased"
    assert project["version"] in versions
    bibtex = (ROOT / "README.md").read_text().partition("@software{dawn,")[2].partition("```")[0]
    for key, value in (
        ("title", citation["title"]),
        ("version", citation["version"]),
        ("license", citation["license"]),
    ):
        assert f"{key} = {{{value}}}" in bibtex
    assert f"{{{{{citation['authors'][0]['name']}}}}}" in bibtex


def test_the_catalog_finds_what_it_needs():
    usage = read(".snakemake-workflow-catalog.yml")["usage"]
    assert usage["software-stack-deployment"]["apptainer"] is True
    assert (ROOT / "config/README.md").is_file()
    assert (ROOT / "Snakefile").is_file()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    """The schema as `make env` writes it."""
    path = tmp_path_factory.mktemp("schema") / "schemas/params.schema.json"
    assert call(schema.main, "--out", path) is None
    return json.loads(path.read_text())


def test_the_schema_that_editors_read_is_written_by_make_and_not_committed():
    path = re.search(r"^SCHEMA := (.+)$", MAKEFILE, re.MULTILINE)[1]
    assert (ROOT / "params.yaml").read_text().startswith(f"# yaml-language-server: $schema={path}\n")
    subprocess.run(["git", "check-ignore", "--quiet", path], cwd=ROOT, check=True)


def test_make_writes_the_schema_again_after_an_edit_to_the_settings(tmp_path):
    (tmp_path / "Makefile").write_text(MAKEFILE)
    files = ("requirements/dev.lock", "requirements/uv.lock", ".venv/ready", "workflow/dawn/config/train.py",
             "workflow/schemas/params.schema.json")  # fmt: skip
    for time, name in enumerate(files):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (time, time))
    line = ["make", "--question", "env"]
    assert subprocess.run(line, cwd=tmp_path, check=False).returncode == 0
    (tmp_path / "workflow/dawn/config/train.py").touch()
    assert subprocess.run(line, cwd=tmp_path, check=False).returncode == 1


@pytest.mark.parametrize(
    ("section", "change", "valid"),
    [
        ("train", {}, True),
        ("train", {"epohcs": 3}, False),
        ("train", {"epochs": -1}, False),
        ("model", {"family": "nothing"}, False),
        ("evaluate", {"tta": "six"}, True),
    ],
)
def test_the_schema_accepts_and_refuses_as_the_workflow_does(written, section, change, valid):
    import jsonschema  # its import takes a second, which every worker would pay at the top

    rules = jsonschema.Draft202012Validator(written)
    values = read("params.yaml")
    values[section] |= change
    assert rules.is_valid(values) is valid
    assert rules.is_valid(values | {"seeds": 5}) is valid


@pytest.mark.full
def test_the_site_builds_without_a_warning_or_a_request_to_the_network(tmp_path):
    line = [sys.executable, "-m", "mkdocs", "build", "--strict", "--site-dir", tmp_path / "site"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    pages = list((tmp_path / "site").rglob("*.html"))
    assert len(pages) >= len(list((ROOT / "docs").rglob("*.md"))) + 1
    for rows in (ROOT / "docs/measurements").glob("*.json"):
        assert (tmp_path / "site/measurements" / rows.name).read_bytes() == rows.read_bytes()
    loaded = re.compile(r'(?:src|<link[^>]+href)="(https?:[^"]+)"')
    assert [url for page in pages for url in loaded.findall(page.read_text())] == []
    switched = re.findall(r"getElementById\('([\w-]+)'\)", (tmp_path / "site/js/darkmode.js").read_text())
    assert {"hljs-light", "hljs-dark"} <= set(switched)
    missing = [(page.name, name) for page in pages for name in switched if f'id="{name}"' not in page.read_text()]
    assert missing == []


def test_every_page_is_in_the_navigation():
    named = re.findall(r": (\S+\.md)$", (ROOT / "mkdocs.yml").read_text(), re.MULTILINE)
    pages = [path.relative_to(ROOT / "docs").as_posix() for path in (ROOT / "docs").rglob("*.md")]
    assert sorted(named) == sorted(["index.md", *pages])
