"""The whole pipeline under the real Snakemake: what it leaves, what it does again, and what it must not do."""

import hashlib
import json
import shutil
import signal
import subprocess

import pytest
import workspace
from conftest import in_full

from dawn.config import registry
from dawn.results import measurement

LONG = "train={epochs: 40, batch: 32, schedule: {peak: 0.05}}"


def test_everything_is_there_and_nothing_left_to_do(copied):
    results = copied.path / "results"
    metrics = json.loads((results / "metrics.json").read_text())
    assert metrics["seeds"] == 2
    assert 0 <= metrics["accuracy"]["mean"] <= 100
    for seed in ("seed-0", "seed-1"):
        assert {path.name for path in (results / seed).iterdir()} == {
            *registry.task("classify").seed_files,
            "dawnbench.json",
            "dawnbench.tsv",
        }
    assert {path.name for path in (results / "manifests").iterdir()} == {"0.json", "1.json"}
    assert json.loads((results / "provenance.json").read_text())["data"]["sha256"]
    assert "parameters" in (results / "model.txt").read_text()
    assert not list(copied.path.glob("**/*.partial"))
    assert not (copied.path / ".resume").exists()
    assert copied.planned() == set()


def test_the_rows_of_the_seeds_are_gathered(copied):
    run = copied.snakemake("results/measurement.json")
    assert run.returncode == 0, run.stderr
    found = measurement.read(copied.path / "results/measurement.json")
    assert [(row.seed, row.first_step) for row in found.rows] == [(0, 0), (1, 0)]
    assert found.command.startswith("snakemake ")
    assert "results/measurement.json" not in found.command, "the command is that which trained"


def test_a_checkout_may_move(copied, tmp_path):
    assert copied.copy(tmp_path).planned() == set()


@pytest.mark.parametrize(
    ("setting", "words"),
    [
        ("train={epoks: 3}", "train.epoks is not a known key; did you mean epochs?"),
        *in_full(("train={batch: -1}", 'train.batch = "-1"')),
    ],
)
def test_a_bad_setting_stops_before_any_job(copied, setting, words):
    run = copied.snakemake(setting)
    assert run.returncode != 0
    assert words in run.stderr
    assert "Traceback" not in run.stderr
    assert "Execute" not in run.stderr


@pytest.mark.full
def test_an_evaluation_setting_trains_nothing_again(copied):
    weights = copied.path / "results/seed-0/model.safetensors"
    before = weights.stat().st_mtime_ns
    run = copied.snakemake("results/manifests/0.json", "evaluate={tta: six}")
    assert run.returncode == 0, run.stderr
    assert weights.stat().st_mtime_ns == before
    manifest = json.loads((copied.path / "results/manifests/0.json").read_text())
    assert manifest["choices"]["evaluate"]["tta"] == "six"
    assert copied.planned("results/manifests/0.json", "evaluate={tta: six}") == set()
    assert "evaluate" in copied.planned()


def test_lint_is_clean(copied):
    run = copied.snakemake("--lint")
    assert run.returncode == 0, run.stderr + run.stdout


def test_a_source_that_is_its_own_target_is_refused(copied):
    own = copied.path / "resources/own.tar.gz"
    shutil.copy(copied.archive, own)
    run = copied.snakemake("data={urls: [resources/own.tar.gz], layout: binary, classes: null}")
    assert run.returncode != 0
    assert "data.urls names resources/own.tar.gz" in run.stderr
    assert own.read_bytes() == copied.archive.read_bytes()


@pytest.mark.full
def test_a_learning_rate_range_test_is_drawn(copied):
    run = copied.snakemake("results/lr_find.png", "lr_find={steps: 12}")
    assert run.returncode == 0, run.stderr
    assert (copied.path / "results/lr_find.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.full
def test_a_stopped_training_is_retried_and_resumes(copied):
    with copied.running("results/seed-6/model.safetensors", "--retries", "1", LONG) as process:
        copied.wait_for_checkpoint(process, 6)
        (training,) = workspace.jobs(process, "dawn.train")
        training.send_signal(signal.SIGTERM)
        _, printed = process.communicate(timeout=300)
        assert process.returncode == 0, printed
        assert "continues after step" in printed


@pytest.mark.full
def test_a_holdout_is_monitored_in_place_of_the_test_split(copied):
    settings = workspace.data(copied.archive).replace("classes: null", "classes: null, holdout: 40")
    run = copied.snakemake("results/seed-0/metrics.json", settings)
    assert run.returncode == 0, run.stderr
    assert "holdout" in run.stderr
    assert json.loads((copied.path / "results/seed-0/metrics.json").read_text())["monitored"] == "holdout"
    dataset = json.loads((copied.path / "data/dataset.json").read_text())
    assert dataset["counts"] == {"train": 280, "test": 100, "holdout": 40}


@pytest.mark.full
def test_an_archive_that_is_there_and_right_is_not_downloaded_again(copied):
    digest = hashlib.sha256(copied.archive.read_bytes()).hexdigest()

    def download(sha256: str, holdout: int) -> "subprocess.CompletedProcess[str]":
        data = f"data={{urls: [{copied.archive}], sha256: {sha256}, layout: binary, classes: null, holdout: {holdout}}}"
        return copied.snakemake("data/dataset.json", data)

    first, second, wrong = download(digest, 20), download(digest, 30), download("0" * 64, 10)
    assert first.returncode == second.returncode == 0, first.stderr + second.stderr
    assert "there already, proven by its sha256" in second.stderr
    assert wrong.returncode != 0
    assert digest in wrong.stderr
    assert "0" * 64 in wrong.stderr
