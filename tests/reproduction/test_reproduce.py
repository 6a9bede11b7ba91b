"""The command: a real crate is reproduced on the machine that made it, also after kill -9."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
import workspace
import yaml
from conftest import ROOT, step
from damage import run
from finished import Finished

from dawn.config.experiment import check, merge, read
from dawn.core import file_lock
from dawn.reproduction import table
from dawn.reproduction.plan import new_seeds, planned
from dawn.reproduction.work import alone

PUBLISHED = sorted((ROOT / "workflow/published").glob("*.yaml"))


@pytest.fixture(scope="module")
def place(finished_once, tmp_path_factory):
    """A checkout with the crate of two seeds of the small experiment."""
    place = Finished(finished_once.copy(tmp_path_factory.mktemp("reproduce")))
    args = ("--root", place.root, "--results", place.results, "--data", place.data, "--out", place.root / "crate.zip")
    assert step("crate", *args).returncode == 0
    return place


def line(*args):
    return [sys.executable, "-m", "dawn.reproduce", "crate.zip", *map(str, args)]


def environment(place):
    return workspace.environment() | {"PYTHONPATH": str(place.root / "workflow")}


def reproduced(place, *args):
    done = subprocess.run(
        line(*args), cwd=place.root, capture_output=True, text=True, env=environment(place), check=False
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.mark.full
def test_a_crate_is_reproduced_and_the_reproduction_again(place):
    done = reproduced(place, "--seeds", 5, "--margin", 30, "--by", "A <script>", "--first-seed", 7)
    out = place.root / "reproduction"
    report = json.loads((out / "report.json").read_text())
    assert report["replay"]["identical"], report["replay"]
    assert [row["seed"] for row in report["seeds"]] == [7, 8, 9, 10, 11]
    assert (report["answer"]["seeds"], report["by"], report["differences"]) == (5, "A <script>", [])
    assert report["verdicts"][0].startswith("Trained again here, seed 0 is bit for bit the published one")
    assert report["reproduces"]["seeds"] == [0, 1]
    assert report["time"]["ratio"] > 0
    assert "<script>" not in (out / "report.html").read_text()
    assert (out / "report.md").read_text().strip() in done.stdout
    with zipfile.ZipFile(out / "crate.zip") as packed:
        entities = {e["@id"]: e for e in json.loads(packed.read("ro-crate-metadata.json"))["@graph"]}
    original = entities["./"]["isBasedOn"]
    assert original == entities["./"]["prov:wasDerivedFrom"]
    assert original["@id"] == f"hash://sha256/{report['reproduces']['sha256']}"
    assert {"report.json", "report.html", "results/seed-11/model.safetensors"} <= entities.keys()
    again = subprocess.run(
        [sys.executable, "-m", "dawn.reproduce", out / "crate.zip", "--out", "second", "--dry-run"], cwd=place.root,
        capture_output=True, text=True, env=environment(place), check=False,
    )  # fmt: skip
    assert again.returncode == 0, again.stderr
    assert "A reproduction of A run of dawn" in again.stderr
    assert "n = 5" in again.stderr
    assert not (place.root / "second").exists()
    other = subprocess.run(line("--margin", "1"), cwd=place.root, capture_output=True, text=True,
                           env=environment(place), check=False)  # fmt: skip
    assert other.returncode == 1
    assert "holds the reproduction of another result, or by another plan (margin)" in other.stderr


@pytest.mark.full
def test_killed_it_continues_with_the_seeds_that_are_there(place):
    out = place.root / "killed"
    args = ("--seeds", 3, "--out", "killed", "--first-seed", 20)
    process = subprocess.Popen(line(*args), cwd=place.root, env=environment(place), stderr=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, start_new_session=True)  # fmt: skip
    while len(list(out.glob("results/seed-2*/model.safetensors"))) < 2:  # the first is finished
        assert process.poll() is None
        time.sleep(0.05)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    there = {path: path.stat().st_mtime_ns for path in out.glob("results/seed-2*/model.safetensors")}
    done = reproduced(place, *args)
    assert [row["seed"] for row in json.loads((out / "report.json").read_text())["seeds"]] == [20, 21, 22]
    assert [path for path, then in there.items() if path.stat().st_mtime_ns == then]
    assert not list(out.glob(".published-*"))
    assert "Traceback" not in done.stderr


@pytest.mark.full
def test_snakemake_reproduces_what_config_names(place):
    done = place.place.snakemake("reproduce", "crate=crate.zip", "margin=30", "new_seeds=0")
    assert done.returncode == 0, done.stderr
    assert "seed 0 is bit for bit the published one" in done.stderr + done.stdout
    assert (place.root / "reproduction/report.html").is_file()
    refused = place.place.snakemake("reproduce")
    assert refused.returncode == 1
    assert "name one published result with --config crate=FILE" in refused.stderr


@pytest.mark.full
def test_a_crate_at_an_address_is_read(place, monkeypatch, tmp_path):
    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *args):
            """Nothing."""

        def __init__(self, *args):
            super().__init__(*args, directory=str(place.root))

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        monkeypatch.chdir(place.root)
        address = f"http://127.0.0.1:{server.server_port}"
        ended = run("reproduce", f"{address}/crate.zip", "--dry-run", "--out", tmp_path / "out")
        missing = run("reproduce", f"{address}/none.zip", "--dry-run", "--out", tmp_path / "out")
        server.shutdown()
    assert ended.code == 0, ended.said
    assert "accuracy" in ended.said
    assert missing.code == 1
    assert "HTTP 404" in missing.said


@pytest.mark.parametrize("path", PUBLISHED, ids=lambda path: path.stem)
def test_a_published_row_is_read_and_costed(path, tmp_path, monkeypatch):
    monkeypatch.chdir(ROOT)
    published, source = table.read(path, ROOT)
    assert source
    assert published.values.n >= 1
    ended = run("reproduce", "--published", path, "--dry-run", "--out", tmp_path / "out")
    assert ended.code == 0, ended.said
    assert f"accuracy {published.values.mean:.2f} %, n = {published.values.n}" in ended.said


def test_our_own_row_is_that_of_the_measurement():
    rows = json.loads((ROOT / "docs/measurements/demo.json").read_text())["rows"]
    published, _ = table.read(ROOT / "workflow/published/demo.yaml", ROOT)
    assert published.values.values == tuple(row["values"]["accuracy"] for row in rows)
    assert published.seconds.values == tuple(row["values"]["seconds"] for row in rows)
    assert published.experiment.train.epochs == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"result": {"mean": 94.0}}, "give values, or mean and n"),
        ({"result": {"mean": 94.0, "n": 5, "std": 0.1, "interval": [93.0, 95.0]}}, "the spread is given twice"),
        ({"result": {"mean": 94.0, "n": 1, "interval": [93.0, 95.0]}}, "one training has none"),
        ({"result": {"mean": 94.0, "n": 0}}, "result.n"),
        ({"preset": "nothing"}, "preset = nothing: must be one of airbench-muon"),
        ({"measure": "fid"}, "measure = fid: must be one of accuracy"),
        ({"settings": {"train": {"epohcs": 3}}}, "train.epohcs"),
        ({"what": None}, "what"),
    ],
)
def test_a_row_that_is_none_is_refused_in_one_line(tmp_path, change, message):
    path = tmp_path / "row.yaml"
    path.write_text(yaml.safe_dump({"what": "a", "source": "b", "result": {"mean": 94.0, "n": 5}} | change))
    ended = run("reproduce", "--root", ROOT, "--published", path, "--dry-run")
    assert ended.code == 1
    assert message in ended.said
    assert ended.said.count("\n") == 1


def test_an_interval_has_the_spread_of_its_seeds(tmp_path):
    path = tmp_path / "row.yaml"
    row = {"mean": 94.0, "n": 16, "interval": [93.8, 94.2]}
    path.write_text(yaml.safe_dump({"what": "a", "source": "b", "result": row}))
    assert table.read(path, ROOT)[0].values.std == pytest.approx(0.2 * 4 / 2.13145, rel=1e-4)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([], "name one result: a crate, a folder or an address, or --published FILE"),
        (["a.zip", "--published", "b.yaml"], "name one result"),
        (["nothing.zip"], "nothing.zip is not there"),
        (["a.zip", "--margin", "-1"], "--margin -1: must be positive"),
        (["a.zip", "--seeds", "x"], "--seeds 'x': a whole number"),
    ],
)
def test_a_command_that_cannot_work_ends_with_one_line(args, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    ended = run("reproduce", *args)
    assert ended.code == 1
    assert message in ended.said


def test_two_reproductions_draw_other_seeds_and_none_that_is_published(tmp_path):
    published, _ = table.read(ROOT / "workflow/published/demo.yaml", ROOT)
    plans = [planned(tmp_path / name, published, 0.2, None) for name in ("a", "b")]
    assert plans[0]["first_seed"] != plans[1]["first_seed"]
    assert planned(tmp_path / "a", published, 0.2, None)["margin"] == 0.2
    taken = type(published)(**vars(published) | {"seeds": (plans[0]["first_seed"] + 1,)})
    assert new_seeds(plans[0], taken, 2) == [plans[0]["first_seed"], plans[0]["first_seed"] + 2]
    check(merge(read(ROOT / "params.yaml"), {"seeds": new_seeds(plans[0], published, 3)}))


def test_a_second_process_waits_for_the_first(tmp_path, capsys):
    with alone(tmp_path):
        assert file_lock.acquire(tmp_path / "lock") is None
        waiting = threading.Thread(target=lambda: alone(tmp_path).__enter__(), daemon=True)
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
    waiting.join(10)
    assert not waiting.is_alive()
    assert "another process works there; waiting for it to end" in capsys.readouterr().err
