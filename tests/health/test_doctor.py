"""The doctor on this machine, and on simulated ones."""

import http.server
import importlib.metadata
import re
import sys
import threading

import pytest
from conftest import ROOT, step
from packaging.requirements import Requirement

from dawn import doctor
from dawn.core.cli import InputError
from dawn.health import engines, hardware, software
from dawn.health.mirrors import mirrors


@pytest.mark.full
def test_this_machine_has_no_problem():
    done = step("doctor", "python", "packages", "torch", "gpu", "join", "shm", "disk")
    assert done.returncode == 0, done.stdout + done.stderr
    lines = done.stdout.splitlines()
    assert all(re.match(r"(ok     |--     )  (python|packages|torch|gpu|join|shm|disk) +\S", line) for line in lines)
    assert [line.split()[1] for line in lines if line.startswith("ok")][:3] == ["python", "packages", "torch"]
    assert any("2 of 2" in line for line in lines if " join " in line) or "nccl" in done.stdout


def test_the_lock_is_read_as_its_makers_do():
    text = (ROOT / "requirements/runtime.lock").read_text()
    lines = [line.rstrip("\\ ") for line in text.splitlines() if re.match(r"^[a-z]", line)]
    wanted = [Requirement(line) for line in lines]
    here = {r.name: str(r.specifier)[2:] for r in wanted if r.marker is None or r.marker.evaluate()}
    assert software.locked(text) == here
    assert len(here) > 20


def test_another_version_is_a_problem_and_named(monkeypatch):
    real = importlib.metadata.version
    monkeypatch.setattr(importlib.metadata, "version", lambda name: "0.1" if name == "numpy" else real(name))
    (found,) = software.packages(ROOT)
    assert found.state == "problem"
    assert found.text.startswith("not those of requirements/runtime.lock: numpy is 0.1, not 2.")
    assert found.remedy


@pytest.mark.parametrize(
    ("visible", "driver", "cuda", "state", "text"),
    [
        (0, None, "13.0", "not needed", "none on this machine, training uses the CPU"),
        (0, "580.65", "13.0", "not needed", "driver 580.65 is loaded, so --gpus all, --nv"),
        (2, "580.65", None, "problem", "2 on this machine, but this PyTorch is built without CUDA"),
        (
            1,
            "535.104.05",
            "13.2",
            "problem",
            "driver 535.104.05 is too old for CUDA 13.2 -> install driver 580 or newer",
        ),
        (1, "580.65", "13.2", "problem", "1 on this machine, driver 580.65, but CUDA 13.2 finds none -> python -c"),
    ],
)
def test_why_there_is_no_gpu(visible, driver, cuda, state, text):
    found = hardware.no_gpu(visible, driver, cuda)
    assert found.state == state
    assert text in doctor.line("gpu", found)


def test_a_gpu_of_the_scheduler_that_is_not_visible_is_a_problem(monkeypatch):
    monkeypatch.setenv("SLURM_GPUS_ON_NODE", "1")
    found = hardware.no_gpu(0, None, "13.0")
    assert found.state == "problem"
    assert "the scheduler gave this job a GPU (SLURM_GPUS_ON_NODE = '1'), but none is visible" in found.text


@pytest.fixture
def server():
    class Archive(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(404 if self.path == "/gone" else 200)
            self.send_header("Content-Length", "7" if self.path == "/other" else "170")
            self.end_headers()

        def log_message(self, *_):
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Archive) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_mirrors_are_queried(server, tmp_path):
    (tmp_path / "here.tgz").touch()
    urls = [f"{server}/right", f"{server}/other", f"{server}/gone", "http://127.0.0.1:9/refused"]
    urls += [f"file://{tmp_path}/here.tgz", str(tmp_path / "not.tgz"), "resources/generated/demo-binary.tar.gz"]
    found = mirrors(urls, 170)
    assert [f.state for f in found] == ["ok", "problem", "problem", "not needed", "ok", "problem", "ok"]
    assert "170 bytes" in found[0].text
    assert "7 bytes, not 170" in found[1].text
    assert "HTTP 404" in found[2].text
    assert "out of reach (ConnectionError)" in found[3].text
    assert all(f.remedy for f in found if f.state != "ok")


def test_mirrors_are_looked_for_where_the_download_looks(monkeypatch, tmp_path):
    (tmp_path / "here.tgz").touch()
    monkeypatch.setenv("DAWN_SOURCES", str(tmp_path))
    monkeypatch.delenv("NO_SUCH", raising=False)
    found = mirrors(["here.tgz", "not.tgz", "ftp://a/b.tgz", "https://${NO_SUCH}/b.tgz", "https://a:b/c.tgz"], None)
    assert [f.state for f in found] == ["ok", *["problem"] * 4]
    assert [f.text.partition(": ")[2][:27] for f in found[1:]] == [
        "no such file",
        "must be http://..., https:/",
        "the environment has no vari",
        "has no valid host and port;",
    ]
    assert all(f.remedy for f in found[1:])


def command(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_problems_of_a_scheduler(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [f.state for f in engines.scheduler(ROOT)] == ["not needed"]
    command(tmp_path, "sbatch", "")
    command(tmp_path, "sinfo", "exit 1")
    assert engines.scheduler(ROOT)[0].text == "sbatch is installed, but sinfo fails"
    command(tmp_path, "sinfo", 'case $1 in --version) echo slurm 23;; *) echo "gpu* 4 idle";; esac')
    assert engines.scheduler(ROOT)[0].text == "slurm 23: gpu* 4 idle"
    command(tmp_path, "scontrol", "echo 'MinJobAge               = 10 sec'")
    (found,) = engines.scheduler(ROOT)
    assert found.state == "problem"
    assert "forgets an ended job after 10 s" in found.text


def test_an_image_of_another_lock_is_found_out(monkeypatch, tmp_path):
    (tmp_path / "requirements").mkdir()
    (tmp_path / "requirements/runtime.lock").write_text("torch==2\n")
    monkeypatch.setenv("PATH", str(tmp_path))
    assert engines.container(tmp_path)[0].text == "no Apptainer or Docker on this machine"
    (tmp_path / "containers").mkdir()
    (tmp_path / "containers/dawn.sif").touch()
    script = 'case $1 in --version) echo apptainer version 1;; *) echo "torch=={}";; esac'
    command(tmp_path, "apptainer", script.format(2))
    assert [f.state for f in engines.container(tmp_path)] == ["ok", "ok"]
    command(tmp_path, "apptainer", script.format(1))
    assert engines.container(tmp_path)[1].text == (
        "containers/dawn.sif was built from another requirements/runtime.lock"
    )
    command(tmp_path, "apptainer", "exit 1")
    assert [f.state for f in engines.container(tmp_path)] == ["problem"]


def test_a_problem_ends_with_1(monkeypatch, capsys, tmp_path):
    monkeypatch.setattr(software, "installed", lambda name: None)
    monkeypatch.setattr(sys, "argv", ["doctor", "python", "packages"])
    with pytest.raises(SystemExit) as end:
        doctor.main()
    assert end.value.code == 1
    shown = capsys.readouterr()
    assert [line.split()[0] for line in shown.out.splitlines()] == ["ok", "PROBLEM"]
    assert shown.err == "1 problem\n"


def test_an_unknown_check_is_refused(monkeypatch):
    monkeypatch.setattr(sys, "argv", ["doctor", "cuda"])
    with pytest.raises(InputError, match="cuda is not a check; there are python, packages"):
        doctor.main()
