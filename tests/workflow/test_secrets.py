"""A password, a signature and a token in data.urls reach the server, and no file that a run leaves."""

import json
import shutil
import subprocess
import zipfile

import dvc_project
import pytest
import signed_server
import workspace
import yaml

from dawn.core.files import sha256

pytestmark = pytest.mark.full
USER, SIGNATURE, TOKEN, AWS = "jane:s3cr3t-Passw0rd", "51gnature0fJane", "t0ken-of-jane", "aws0Secret0Key"
SECRETS = [text.encode() for text in ("s3cr3t", "wr0ng-Passw0rd", SIGNATURE, TOKEN, AWS)]
STUDY = {
    "question": "?", "seeds": 2, "settings": {"train": {"epochs": 1}},
    "variants": {"a": {}, "b": {"train": {"batch": 16}}},
}  # fmt: skip


def contents(folder):
    """The bytes of every file below a folder, those in a zip too, by their names."""
    for path in folder.rglob("*"):
        if path.is_file():
            yield str(path.relative_to(folder)), path.read_bytes()
            if zipfile.is_zipfile(path) and path.suffix == ".zip":
                with zipfile.ZipFile(path) as packed:
                    yield from ((f"{path.name}: {name}", packed.read(name)) for name in packed.namelist())


def leaks(folder):
    """The files below a folder that have one of the secrets."""
    return [(name, secret) for name, text in contents(folder) for secret in SECRETS if secret in text]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    made = workspace.make(tmp_path_factory.mktemp("jane-doe"))
    shutil.rmtree(made.path / "tests")  # which name the secrets
    return made


@pytest.fixture(scope="module")
def host(place):
    with signed_server.serving(place.archive, USER, SIGNATURE, TOKEN) as host:
        yield host


def data(place, *urls):
    """The section of data, with these addresses."""
    return {"urls": urls, "sha256": sha256(place.archive), "bytes": None, "layout": "binary", "classes": None}


def run(place, *args, fails=False):
    """What snakemake prints, which must have no secret."""
    line = [str(workspace.BIN / "snakemake"), *args]
    env = workspace.environment() | {"AWS_SECRET_ACCESS_KEY": AWS, "AWS_ACCESS_KEY_ID": "AK", "DAWN_TRACEBACK": "1"}
    done = subprocess.run(line, cwd=place.path, env=env, capture_output=True, text=True, check=False)
    assert (done.returncode != 0) == fails, done.stderr
    assert not [secret for secret in SECRETS if secret in (done.stdout + done.stderr).encode()], done.stderr
    return done.stdout + done.stderr


def test_a_run_leaves_no_secret(place, host):
    right = f"http://{USER}@{host}/x/small.tar.gz?X-Amz-Signature={SIGNATURE}&X-Amz-Date=20260101"
    wrong = right.replace("s3cr3t", "wr0ng")
    mine, made = place.path.parent / "mine.yaml", place.path / "experiments/mine"
    values = {"data": data(place, wrong), "submission": {"code_url": f"https://{TOKEN}@github.com/a/b"}}
    mine.write_text(json.dumps(values))
    options = ["--configfile", str(mine), "--config", *workspace.SMALL]
    failed = run(place, "results/seed-0/metrics.json", *options, fails=True)
    assert "x/small.tar.gz?X-Amz-Signature=REDACTED&X-Amz-Date=REDACTED: HTTP 403" in failed
    assert leaks(place.path) == []
    mine.write_text(json.dumps(values | {"data": data(place, wrong, right)}))
    run(place, "all", "plots", "crate", "model_card", *options)
    run(place, "plots", "--report", "results/report.html", *options)
    (place.path / "ab.yaml").write_text(yaml.safe_dump(STUDY))
    run(place, "study", *options, "study=ab.yaml")
    assert leaks(place.path) == []
    assert (made / "results/crate.zip").is_file()
    assert (made / "results/studies/ab/table.md").is_file()
    private = [name for name, text in contents(made / "results") if b"jane-doe" in text]
    assert private == []  # nor does a result name the folders of this machine
    given = f"data={json.dumps(data(place, wrong, right.replace('Passw0rd', 'again')))}"
    planned = run(
        place, "-n", "--quiet", "host", "--config", "name=mine", given, *workspace.SMALL, "submission={code_url: null}"
    )
    assert "download" not in planned
    assert "train" not in planned


def test_dvc_refuses_a_secret_and_takes_a_variable(tmp_path, host, monkeypatch):
    small = workspace.make(tmp_path)
    url = f"http://{USER}@{host}/small.tar.gz?X-Amz-Signature={SIGNATURE}"
    workspace.write_params(small, f"data={json.dumps(data(small, url))}", *dvc_project.TINY)
    project = dvc_project.adopt(small)
    said = project.dvc("repro", fails=True)
    assert "data.urls has a secret (http://REDACTED@" in said
    assert "write ${NAME} in its place" in said
    assert leaks(small.path / ".dvc") == []
    assert yaml.safe_load((small.path / "dvc.lock").read_text())["stages"] == {}
    workspace.write_params(small, f"data={json.dumps(data(small, f'http://{host}/${{MINE}}/small.tar.gz'))}")
    project.git("commit", "--quiet", "--all", "--message", "A variable")
    monkeypatch.setenv("MINE", TOKEN)
    assert project.exp("-n", "mine") == ["prepare", "train@0", "evaluate@0", "summarize"]
    shutil.rmtree(small.path / "tests")
    assert [leak for leak in leaks(small.path) if leak[1] == TOKEN.encode()] == []
    code = json.loads((small.path / "results/provenance.json").read_text())["code"]
    assert code["dirty"] is False  # although DVC has written dvc.lock
