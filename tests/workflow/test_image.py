"""The image as far as it can be tested unbuilt: the Dockerfile, its SBOM, commands in Docker."""

import importlib.metadata
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import workspace
from conftest import ROOT

from dawn import sbom

DOCKERFILE = (ROOT / "containers/Dockerfile").read_text()


def test_hadolint_accepts_the_dockerfile():
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "containers/Dockerfile"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_holds_hashed_locks_and_no_code_of_ours():
    assert re.search(r"^ARG BASE=\S+@sha256:[0-9a-f]{64}$", DOCKERFILE, re.MULTILINE), "base by digest"
    copied = re.findall(r"^COPY (?!--from)(.+) \S+$", DOCKERFILE, re.MULTILINE)
    assert sorted(" ".join(copied).split()) == [
        "requirements/runtime.lock", "requirements/runtime.lock", "requirements/sbom.lock", "requirements/uv.lock",
    ]  # fmt: skip
    installs = re.findall(r"(?:pip install|pip sync)[^&]+", DOCKERFILE.replace("\\\n", " "))
    assert len(installs) == 3
    assert all("--require-hashes" in line for line in installs)
    assert re.search(r"^USER [1-9]\d*$", DOCKERFILE, re.MULTILINE), "not root, by number"
    assert (ROOT / ".dockerignore").read_text().split() == ["*", "!requirements/*.lock"]


def test_the_locks_are_one_resolution():
    def read(name):
        text = (ROOT / "requirements" / name).read_text()
        return set(re.findall(r"^([\w.-]+==\S+)", text, re.MULTILINE))

    assert read("runtime.lock") <= read("dev.lock")
    assert read("sbom.lock") <= read("dev.lock")
    assert not [line for line in read("runtime.lock") if line.startswith(("snakemake", "dvc", "pytest"))]


def test_the_definition_file_has_the_commands_of_the_dockerfile():
    definition = (ROOT / "containers/dawn.def").read_text().replace("/opt/", "/tmp/")
    words = " ".join(definition.replace("\\\n", " ").split())
    commands = re.findall(r"^RUN (.*?)(?<!\\)\n", DOCKERFILE, re.MULTILINE | re.DOTALL)
    assert len(commands) == 4
    for command in commands:
        line = " ".join(command.replace("\\\n", " ").replace("/opt/", "/tmp/").split())
        assert line.removesuffix(" && useradd --create-home --uid 1000 dawn") in words
    for argument in ("BASE", "COMPILER", "SNAPSHOT", "TRIM"):
        assert re.search(rf"^ARG ({argument}=\S+)", DOCKERFILE, re.MULTILINE)[1] in words


def test_the_packages_of_the_image_are_those_of_a_time(tmp_path):
    command = re.search(r"printf (.*?); fi", DOCKERFILE, re.DOTALL)[0].replace("/etc/apt", str(tmp_path))
    values = "archive=A; options='[o]'; SNAPSHOT=20261130T000000Z; VERSION_CODENAME=bookworm"
    script = f"{values}; if true; then {command}"
    subprocess.run(["sh", "-euc", script], check=True)
    assert (tmp_path / "sources.list").read_text().splitlines() == [
        "deb [o] A/debian/20261130T000000Z bookworm main",
        "deb [o] A/debian/20261130T000000Z bookworm-updates main",
        "deb [o] A/debian-security/20261130T000000Z bookworm-security main",
    ]


def test_the_actions_of_the_workflows_are_pinned_by_commit():
    used = [line for path in (ROOT / ".github/workflows").glob("*.yml") for line in path.read_text().splitlines()]
    used = [line for line in used if re.search(r"\buses:", line)]
    assert used
    for line in used:
        assert re.fullmatch(r" *- uses: [\w./-]+@[0-9a-f]{40} # v[\d.]+", line), line


def test_make_has_the_targets_of_the_documentation():
    for file in ("docs/cluster.md", "containers/README.md"):
        targets = re.findall(r"^make (\w+)", (ROOT / file).read_text(), re.MULTILINE)
        assert {"image", "sif"} <= set(targets)
        for target in targets:
            subprocess.run(["make", target, "--dry-run"], cwd=ROOT, check=True, capture_output=True)


@pytest.fixture
def docker(tmp_path, monkeypatch):
    """A docker that runs the command on this machine and logs how it was called."""
    script = f"""#!{sys.executable}
import json, os, sys
words = sys.argv[1:]
with open({str(tmp_path / "called")!r}, "a") as file:
    file.write(json.dumps(words) + "\\n")
if words[0] == "image":
    print("sha256:abc")
elif words[0] == "--version":
    print("Docker version 99")
else:
    inside = words[words.index("toy") + 1 :]
    if inside[:2] == ["cat", "/opt/dawn/share/sbom.json"]:
        inside = ["cat", {str(tmp_path / "sbom.json")!r}]
    elif inside[0] == "dpkg-query":
        inside = ["printf", "%s\\\\t%s\\\\t%s\\\\n", "zlib1g", "1:1.2+dfsg-1", "amd64"]
    elif inside[0] == "python":
        inside[0] = sys.executable
    os.execvp(inside[0], inside)
"""
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/docker").write_text(script)
    (tmp_path / "bin/docker").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:{os.environ['PATH']}")
    return lambda: [json.loads(line) for line in (tmp_path / "called").read_text().splitlines()]


def test_the_sbom_is_valid_and_lists_both_kinds_of_packages(docker, tmp_path, monkeypatch, capsys):
    from cyclonedx.schema import SchemaVersion  # a second to import, in each process that collects tests
    from cyclonedx.validation.json import JsonStrictValidator

    for name in ("torch", "pydantic"):  # a Python of two packages, since describing all of ours takes a minute
        described = importlib.metadata.distribution(name)._path
        shutil.copytree(described, tmp_path / "packages" / described.name)
    few = tmp_path / "bin/few"
    few.write_text(f"#!/bin/sh\nprintf '[\"%s\"]' {tmp_path}/packages\n")
    few.chmod(0o755)
    tool = Path(sys.executable).with_name("cyclonedx-py")
    line = [tool, "environment", "--output-reproducible", "--output-file", tmp_path / "sbom.json", few]
    subprocess.run(line, check=True, capture_output=True)
    out = tmp_path / "out/sbom.json"
    monkeypatch.setattr(sys, "argv", ["sbom", "--image", "toy", "--out", str(out)])
    sbom.main()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(out.read_text()) is None
    parts = {part["name"]: part for part in json.loads(out.read_text())["components"]}
    assert parts["zlib1g"]["purl"] == "pkg:deb/debian/zlib1g@1%3A1.2%2Bdfsg-1?arch=amd64"
    rows = [line.split("\t") for line in out.with_suffix(".tsv").read_text().splitlines()]
    assert rows[0] == ["name", "version", "kind", "licence"]
    table = {row[0]: row for row in rows}
    assert table["pydantic"][2:] == ["pypi", "MIT"]
    assert table["torch"][1] == parts["torch"]["version"]
    assert "1 Debian packages" in capsys.readouterr().err


def test_an_image_without_an_sbom_is_refused(docker, monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "argv", ["sbom", "--image", "toy", "--out", str(tmp_path / "sbom2.json")])
    with pytest.raises(sbom.cli.InputError, match=r"toy does not run cat: .*make image"):
        sbom.main()


@pytest.mark.full
def test_steps_run_in_docker_with_the_files_at_their_places(docker, tmp_path, monkeypatch):
    place = workspace.make(tmp_path / "place")
    monkeypatch.setenv("DAWN_DOCKER", "toy")
    monkeypatch.setenv("DAWN_DOCKER_ARGS", f"--volume {tmp_path}:{tmp_path}")
    net = tmp_path / "mine/net.py"  # the network of a variant
    net.parent.mkdir()
    net.write_text((ROOT / "workflow/networks/plain.py").read_text())
    variants = {"as it is": {}, "mine": {"model": {"family": "file", "path": str(net), "name": "plain"}}}
    (place.path / "mine.yaml").write_text(json.dumps({"question": "?", "seeds": 2, "variants": variants}))
    run = place.snakemake("results/studies/mine/mine/model.txt", "study=mine.yaml")
    assert run.returncode == 0, run.stderr
    calls = [call for call in docker() if call[0] == "run"]
    assert [call[call.index("toy") + 1 :][:3] for call in calls] == [
        ["python", "-m", f"dawn.{step}"] for step in ("download", "arrays", "model")
    ]
    here = str(place.path)
    for wanted in (["--ipc", "host"], ["--user", f"{os.getuid()}:{os.getgid()}"], ["--volume", f"{here}:{here}"],
                   ["--workdir", here], ["--env", "DAWN_IMAGE=toy@sha256:abc"],
                   ["--volume", f"{tmp_path}:{tmp_path}"], ["--volume", f"{net}:{net}"]):  # fmt: skip
        assert any(calls[0][i : i + 2] == wanted for i in range(len(calls[0]))), wanted
