"""No file that is made from settings, and no message, has a secret of an address or names a folder of this machine."""

import json
import pickle
import subprocess
import sys

import pytest
import yaml
from conftest import TINY, experiment, step

from dawn.config.experiment import check, dump
from dawn.config.published import publishable
from dawn.core import secrets
from dawn.core.cli import InputError
from dawn.core.secrets import Address, expanded, published, redacted
from dawn.results.manifest import choices

SUM = "0" * 64
SECRET = "https://jane:s3cr3t-Pass@data.example.org/a/x.tar.gz?X-Amz-Signature=51gnature&download=1#4nchor"
PUBLISHED = "https://REDACTED@data.example.org/a/x.tar.gz?X-Amz-Signature=REDACTED&download=1#REDACTED"


@pytest.fixture(autouse=True)
def forgotten(monkeypatch):
    """What earlier tests made known is not known."""
    monkeypatch.setattr(secrets, "_known", {})
    monkeypatch.delenv("DAWN_ADDRESSES", raising=False)


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (SECRET, PUBLISHED),
        ("https://ghp_t0ken@github.com/a/b", "https://REDACTED@github.com/a/b"),
        ("https://u:pa/ss@h/x?a=b", "https://REDACTED@h/x?a=REDACTED"),  # a password that is not encoded
        ("https://u:pa#ss@h/x", "https://REDACTED@h/x"),
        ("https://u:pa?ss@h/x", "https://REDACTED@h/x"),
        ("https://u:12/34@h/x", "https://REDACTED@h/x"),
        ("HTTPS://u:p@h", "HTTPS://REDACTED@h"),
        ("https://h/x?sv=2024-01-01&se=2030&sig=a%2Fb%3D", "https://h/x?sv=REDACTED&se=REDACTED&sig=REDACTED"),
        ("https://h/x?t0ken", "https://h/x?REDACTED"),
        ("https://h/x?YWJj==", "https://h/x?REDACTED"),
        ("https://h/x?a=1;token=zzz", "https://h/x?a=1;token=REDACTED"),
        ("https://h/x;jsessionid=99/y", "https://h/x;REDACTED/y"),
        ("https://h/x?url=https%3A%2F%2Fu%3Ap%40h", "https://h/x?url=REDACTED"),
        ("s3://key:secret@bucket/x", "s3://REDACTED@bucket/x"),
        ("jane:pw@host:/x", "REDACTED@host:/x"),
        ("https://zenodo.org/records/1/files/x.zip?download=1", "https://zenodo.org/records/1/files/x.zip?download=1"),
        ("http://[::1]:80/x", "http://[::1]:80/x"),
        ("https://${U}:${P}@h/${T}/x?sig=${S}", "https://${U}:${P}@h/${T}/x?sig=${S}"),
        ("${URL}", "${URL}"),
        ("/home/jane/My Photos/x.zip", "x.zip"),
        ("file:///home/jane/my%20x.zip", "my x.zip"),
        ("../../jane/x.zip", "x.zip"),
        ("~jane/x.zip", "x.zip"),
        ("resources/generated/demo-binary.tar.gz", "resources/generated/demo-binary.tar.gz"),
        ("photos", "photos"),
    ],
)
def test_an_address_is_published_without_secrets(written, shown):
    assert published(written) == shown
    assert published(shown) == shown  # settings that were published are read again


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (f"{SECRET}: HTTP 403", f"{PUBLISHED}: HTTP 403"),
        ('["https://a/b","https://u:p@c"]', '["https://a/b","https://REDACTED@c"]'),
        ("Max retries exceeded with url: /x?X-Amz-Signature=zz (Caused by", "Max retries exceeded with url: "
         "/x?X-Amz-Signature=REDACTED (Caused by"),
        ("see https://h/x?a=b.", "see https://h/x?a=REDACTED."),
        ("git clone https://ghp_t0ken@github.com/a/b.git", "git clone https://REDACTED@github.com/a/b.git"),
        ("file:///home/jane/x: no such file", "file:///home/jane/x: no such file"),
        ("train.epochs=3 is what? a=b", "train.epochs=3 is what? a=b"),
        ("see https://docs.example.org/a/b, and c: d", "see https://docs.example.org/a/b, and c: d"),
    ],
)  # fmt: skip
def test_messages_are_redacted(written, shown):
    assert redacted(written) == shown
    assert str(InputError(written)) == shown


def test_a_secret_that_was_read_is_hidden_wherever_it_is():
    Address(SECRET)
    assert redacted("the label 's3cr3t-Pass' is too long; 51gnature") == "the label 'REDACTED' is too long; REDACTED"
    assert redacted("jane") == "jane"  # a word that may mean something else


def with_secret(**data):
    return check({**experiment().model_dump(), "data": {**TINY["data"], "urls": [SECRET], "sha256": SUM, **data}})


def test_settings_never_have_the_secret():
    here = with_secret()
    assert here.data.urls == (PUBLISHED,)
    assert here.data.sources == (SECRET,)
    texts = dump(here), here.text("data"), json.dumps(choices(here, "data")), repr(here), here.model_dump_json()
    for text in texts:
        assert "s3cr3t" not in text
        assert "51gnature" not in text
    assert yaml.safe_load(dump(here))["data"]["urls"] == [PUBLISHED]
    assert pickle.loads(pickle.dumps(here)).data.sources == (SECRET,)
    other = check({**here.model_dump(), "data": {**here.data.model_dump(), "urls": [SECRET.replace("s3cr3t", "new")]}})
    assert other.text("data") == here.text("data")  # another password trains nothing again


def test_a_job_gets_the_addresses_by_the_environment(monkeypatch):
    monkeypatch.setenv("TOKEN", "t0ken-of-jane")
    here = with_secret(urls=[SECRET, "https://h/${TOKEN}/x", "https://h/${UNSET}/y"])
    monkeypatch.setenv("DAWN_ADDRESSES", here.data.passed()["DAWN_ADDRESSES"])
    made = check(yaml.safe_load(dump(here)))
    assert made.data.sources == (SECRET, "https://h/t0ken-of-jane/x", "https://h/${UNSET}/y")
    assert with_secret(urls=[PUBLISHED]).data.sources == (PUBLISHED,)  # of other settings
    assert with_secret(urls=[SECRET]).data.sources == (SECRET,)


def test_variables_of_an_address(monkeypatch):
    monkeypatch.setenv("TOKEN", "t0ken-of-jane")
    assert expanded("https://h/${TOKEN}/x") == "https://h/t0ken-of-jane/x"
    assert expanded("${TOKEN}") == "t0ken-of-jane"
    assert expanded("/data/${TOKEN}/x") == "/data/${TOKEN}/x"  # a path of this machine
    assert redacted("Failed to parse: /t0ken-of-jane/x") == "Failed to parse: /REDACTED/x"
    with pytest.raises(KeyError, match="UNSET"):
        expanded("https://h/${UNSET}")


@pytest.mark.parametrize(
    ("data", "line"),
    [
        ({"urls": SECRET}, "data.urls = "),
        ({"urls": [SECRET], "url": SECRET}, "data.url is not a known key"),
        ({"urls": [SECRET], "sha256": None}, f"{PUBLISHED} needs sha256 or bytes"),
        ({"urls": [SECRET], "sha256": SECRET}, "data.sha256 = "),
    ],
)
def test_messages_about_settings_have_no_secret(data, line):
    values = {**experiment().model_dump(), "data": {**TINY["data"], "sha256": SUM, **data}}
    with pytest.raises(InputError) as error:
        check(values)
    assert line in str(error.value)
    assert "s3cr3t" not in str(error.value)


def test_what_python_prints_has_no_secret(tmp_path):
    program = (
        "import sys; from dawn.core import cli\n"
        f"def main(): print({SECRET!r}, file=sys.stderr); raise RuntimeError({SECRET!r})\n"
        "cli.run(main)"
    )
    log = tmp_path / "a.log"
    line = [sys.executable, "-c", program]
    done = subprocess.run(line, capture_output=True, text=True, env={"DAWN_LOG": str(log)}, check=False)
    assert "RuntimeError: https://REDACTED@" in done.stderr
    for text in (done.stderr, log.read_text()):
        assert text.count("REDACTED@data") == 2
        assert "s3cr3t" not in text


def test_a_file_of_settings_is_published_without_secrets(tmp_path):
    mine = tmp_path / "mine.yaml"
    mine.write_text(f"data: # at {SECRET}\n  urls:\n    - /home/jane/My Photos/x.zip\n    - {SECRET}\n")
    shown = publishable(mine, tmp_path / "copies").read_text()
    assert shown == f"data: # at {PUBLISHED}\n  urls:\n    - x.zip\n    - {PUBLISHED}\n"
    mine.write_text('settings: {data.urls: ["/home/j\\u0061ne/x.zip"]}\n')
    assert publishable(mine, tmp_path / "copies").read_text() == "settings:\n  data.urls:\n  - x.zip\n"
    mine.write_text("data: {urls: [photos]}\n")
    assert publishable(mine, tmp_path / "copies") == mine


def test_a_download_that_fails_names_no_secret(tmp_path):
    done = step(
        "download", "--url", "http://jane:s3cr3t@127.0.0.1:9/x?sig=51gnature", "--url", "https://u:s3c/r3t@h/x",
        "--bytes", 3, "--out", tmp_path / "x", env={"DAWN_TRACEBACK": "1", "DAWN_LOG": str(tmp_path / "x.log")},
    )  # fmt: skip
    assert done.returncode == 1
    assert "http://REDACTED@127.0.0.1:9/x?sig=REDACTED: " in done.stderr
    for text in (done.stderr, (tmp_path / "x.log").read_text()):
        for secret in ("s3cr3t", "51gnature", "s3c", "r3t"):
            assert secret not in text
